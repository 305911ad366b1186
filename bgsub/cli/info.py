"""``bgsub info``: what a source is."""

from __future__ import annotations

import json

import click

from bgsub.cli.help import Command
from bgsub.times import written_time

_EXAMPLES = """
bgsub info street.mp4
bgsub info rtsp://camera/stream --json
"""


@click.command(name="info", cls=Command, examples=_EXAMPLES)
@click.argument("source")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(source: str, as_json: bool) -> None:
    """Tell what SOURCE is: a video file, URL, camera or folder of images."""
    from bgsub.video.opening import probe

    facts = probe(source)
    if as_json:
        click.echo(json.dumps(facts))
        return
    for name, value in facts.items():
        if value is not None and not (name == "start_time" and not value):
            click.echo(f"{name.replace('_', ' '):>20}  {_readable(name, value)}")


def _readable(name: str, value: object) -> str:
    """Return a value for people: numbers rounded, times with colons, yes and no."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name == "duration" and isinstance(value, float):
        return f"{value:.2f} s ({written_time(value)})"
    if name == "start_time":
        return f"video starts {value:.2f} s into the file: players show each frame that much later"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
