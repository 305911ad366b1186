"""``bgsub info``: what a source, or a model file, is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import click

from bgsub.cli.help import Command
from bgsub.cli.options import PathText
from bgsub.files import is_model_file
from bgsub.times import written_time

_EXAMPLES = """
bgsub info street.mp4
bgsub info rtsp://camera/stream --json
bgsub info customers.bgsub
"""


_CONTAINERS = {  # FFmpeg's names, and those that people know
    "3gp": "3GP",
    "apng": "APNG",
    "asf": "WMV/ASF",
    "avi": "AVI",
    "flv": "FLV",
    "gif": "GIF",
    "h264": "raw H.264",
    "hevc": "raw H.265",
    "hls": "HLS",
    "ivf": "IVF",
    "matroska,webm": "Matroska/WebM",
    "mov,mp4,m4a,3gp,3g2,mj2": "MP4/QuickTime",
    "mpeg": "MPEG program stream",
    "mpegts": "MPEG transport stream",
    "mpjpeg": "MJPEG over HTTP",
    "mxf": "MXF",
    "nut": "NUT",
    "ogg": "Ogg",
    "rtsp": "RTSP",
    "yuv4mpegpipe": "YUV4MPEG",
}


@click.command(name="info", cls=Command, examples=_EXAMPLES)
@click.argument("source", type=PathText())
@click.option("--stream", type=click.IntRange(0), metavar="N", help="Tell of this stream instead of the best one.")
@click.option("--size", metavar="WxH", help="Pictures without a header (.yuv) have this size: 640x480.")
@click.option("--pixel-format", metavar="NAME", help="Of such pictures: yuv420p (unless told), nv12, gray16le ...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(source: str, stream: int | None, size: str | None, pixel_format: str | None, as_json: bool) -> None:
    """Tell what SOURCE is: a video file, URL, camera or folder of images, or a model that bgsub has saved."""
    if is_model_file(source):
        if stream is not None or size or pixel_format:
            raise click.UsageError("a model file is no video: leave out --stream, --size and --pixel-format")
        _tell_model(source, as_json)
        return
    from bgsub.video.opening import probe

    facts: dict[str, Any] = probe(source, stream=stream, size=size, pixel_format=pixel_format)
    if as_json:
        click.echo(json.dumps(facts))
        return
    for name, value in facts.items():
        if name in _READABLE and value is not None:
            text = _READABLE[name](value, facts)
        elif name == "streams" and isinstance(value, list):
            for stream_facts in value if len(value) > 1 else []:
                click.echo(f"{'stream ' + str(stream_facts['index']):>20}  {_stream(stream_facts, facts['stream'])}")
            continue
        else:
            text = _plain(value)
        if text:
            click.echo(f"{name.replace('_', ' '):>20}  {text}")


def _tell_model(path: str, as_json: bool) -> None:
    """Print what a model file is."""
    from bgsub.cli.model_facts import lines_of, model_facts

    facts = model_facts(path)
    if as_json:
        click.echo(json.dumps(facts))
        return
    for name, text in lines_of(facts):
        click.echo(f"{name:>20}  {text}")


def _plain(value: Any) -> str:
    """Return a value for people: numbers rounded, yes and no, nothing of what is not known."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _bits_per_second(value: float) -> str:
    return f"{value / 1e6:.3g} Mbit/s" if value >= 999_500 else f"{value / 1e3:.3g} kbit/s"


def _shape(value: str, facts: Mapping[str, Any]) -> str:
    """Return the shape of a pixel, and where it is no square the size that players show."""
    across, down = map(int, value.split(":"))
    shown = f" (shown as {round(facts['width'] * across / down)}x{facts['height']})"
    return value + (shown if across != down else "")


def _stream(stream: Mapping[str, Any], read: int) -> str:
    """Return one line of a stream."""
    words = [stream["codec"] or f"{stream['type']} of an unknown codec"]
    if "width" in stream:
        words.append(f"{stream['width']}x{stream['height']}")
    if stream.get("fps"):
        words.append(f"{stream['fps']:.6g} frames/s")
    if stream["type"] != "video":
        words.append(stream["type"])
    words += [word for word, true in (("cover picture", stream.get("cover")), ("default", stream["default"])) if true]
    return ", ".join(words) + (" - this one is read" if stream["index"] == read else "")


_READABLE: dict[str, Callable[[Any, Mapping[str, Any]], str]] = {
    "fps": lambda value, _: f"{value:.6g} frames/s",
    "duration": lambda value, _: f"{value:.2f} s ({written_time(value)})",
    "start_time": lambda value, _: (
        f"video starts {value:.2f} s into the file: players show each frame that much later" if value else ""
    ),
    "sample_aspect_ratio": _shape,
    "container": lambda value, _: _CONTAINERS.get(value, value),
    "bit_rate": lambda value, _: _bits_per_second(value),
    "rotation": lambda value, _: f"{value} degrees" if value else "none",
    "stream": lambda *_: "",  # said beside the others
}
