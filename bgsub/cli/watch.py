"""``bgsub watch``: cameras that look after themselves, watched and recorded for as long as nobody says stop."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bgsub.background.methods import METHODS
from bgsub.cli.help import Command, section
from bgsub.cli.logs import set_verbosity, write_log_as_json
from bgsub.cli.options import Drawn, FilePath, PathText, Word, given, verbosity_options
from bgsub.cli.watch_options import Amount
from bgsub.cli.watch_page import page_services, print_hash, web_settings
from bgsub.extras import require

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bgsub.live.configuration.reading import Configuration
    from bgsub.live.health.metrics import Other
    from bgsub.live.settings import Watch

logger = logging.getLogger(__name__)

_TIME, _SIZE, _PATH = Amount("time"), Amount("size"), FilePath()

_EXAMPLES = """
bgsub watch street.mp4 --loop --duration 1min      a file in place of a camera, to try it
bgsub watch 0                                      the first webcam; clips under recordings/
bgsub watch rtsp://10.0.0.7/main --detect rtsp://10.0.0.7/sub
bgsub watch rtsp://a/1 rtsp://b/1 --max-age 30d --max-size 200GB
bgsub watch --config cameras.toml                  many cameras, zones, who is told
bgsub watch --config cameras.toml --web            a page to see them on: http://127.0.0.1:8080/
bgsub watch --config cameras.toml --check          what would be watched
"""

_HINTS = {
    "--output": "--into names the folder of recordings",
    "-o": "--into names the folder of recordings",
    "--directory": "it is called --into",
    "--clips": "each event has a clip; --record none makes none",
    "--reconnect": "a camera that drops is always opened again",
    "--zone": "zones stand in a file: --config cameras.toml",
    "--region": "zones stand in a file: --config cameras.toml",
    "--ignore": "zones stand in a file: --config cameras.toml",
    "--mqtt": "who is told stands in a file: --config cameras.toml",
    "--webhook": "who is told stands in a file: --config cameras.toml",
    "--port": "it is --listen HOST:PORT, and of the page --web-listen HOST:PORT",
    "--password": "passwords stand in the file of cameras, hashed: --hash-password",
    "--daemon": "let systemd run it: --print-unit",
}

_cameras, _kept, _how = (section(s) for s in ("Cameras", "Recordings", "How it runs"))

CAMERA_OPTIONS = (
    *("detect", "loop", "record", "before", "after", "longest", "merge", "segment", "min_length", "sensitivity"),
    *("schedule", "draw", "method", "audio"),
)
"""What is said of each camera; with a file of cameras it is said there."""

RETENTION_OPTIONS = ("max_age", "max_size", "min_free")
"""For how long recordings are kept."""


@click.command(name="watch", cls=Command, examples=_EXAMPLES, hints=_HINTS)
@click.argument("sources", nargs=-1, metavar="[SOURCE]...", type=PathText())
@_cameras("--config", type=_PATH, metavar="FILE", help="Cameras, zones and all else from a TOML file.")
@_cameras("--detect", metavar="SOURCE", help="A smaller stream of the same camera, looked at in its place.")
@_cameras("--loop", is_flag=True, help="A file is sent again and again at its own pace, as by a camera.")
@_cameras("--method", type=Word(METHODS), help="Adaptive finds better, mog2 is quicker. [default: adaptive]")
@_cameras(
    "--sensitivity", type=float, metavar="NUMBER", help="From 0.25 to 4: higher finds smaller things. [default: 1]"
)
@_cameras("--min-length", type=_TIME, help="Shorter motion is no event. [default: 0.4s]")
@_cameras("--merge", type=_TIME, help="Motion that follows so soon is the same event. [default: 4s]")
@_cameras("--schedule", multiple=True, metavar="WHEN", help='When events count: "mon-fri 18:00-06:00". Repeatable.')
@_kept("--into", type=_PATH, metavar="FOLDER", help="Where recordings lie. [default: recordings]")
@_kept(
    "--record",
    type=Word(["events", "continuous", "both", "none"]),
    help="Clips of events; all, in segments; both; only data and pictures. [default: events]",
)
@_kept("--before", type=_TIME, help="What a clip shows before its event. [default: 5s]")
@_kept("--after", type=_TIME, help="What a clip shows after it. [default: 5s]")
@_kept("--longest", type=_TIME, help="A longer event goes on in a clip of its own. [default: 10min]")
@_kept("--segment", type=_TIME, help="Length of a continuous segment. [default: 5min]")
@_kept("--audio/--no-audio", default=None, help="Record sound. [default: audio]")
@_kept(
    "--draw",
    type=Drawn(("boxes", "mask")),
    metavar="WHAT,...",
    help="Into clips, which are then encoded anew: boxes, mask.",
)
@_kept("--max-age", type=_TIME, help="Older recordings are removed: 30d.")
@_kept("--max-size", type=_SIZE, help="Of all recordings; the oldest and least interesting go first: 200GB.")
@_kept("--min-free", type=_SIZE, help="What stays free on the disk. [default: 2GiB]")
@_kept("--fsync/--no-fsync", default=None, help="Each second is safe on the disk. [default: fsync]")
@_how("--state", type=_PATH, metavar="FOLDER", help="Where index and models lie. [default: the user's state folder]")
@_how("--web", is_flag=True, help="Show the cameras on a page. [default: not]")
@_how("--web-listen", metavar="HOST:PORT", help="Where that page is. [default: 127.0.0.1:8080]")
@_how("--hash-password", is_flag=True, help="Print what [[web.access]] takes for a password, and end.")
@_how("--listen", metavar="HOST:PORT", help="Where /health and /metrics are. [default: 127.0.0.1:8099]")
@_how("--no-listen", is_flag=True, help="Serve neither.")
@_how("--duration", type=_TIME, help="End so long after the first picture; to try something, or by cron.")
@_how("--check", is_flag=True, help="Say what would be watched, and end.")
@_how("--test-tell", is_flag=True, help="Tell a test to each who would be told, once, and end.")
@_how("--print-unit", is_flag=True, help="Print a unit for systemd, and end.")
@click.option("--json", "as_json", is_flag=True, help="Print events and the log as JSON, one object a line.")
@verbosity_options
@click.pass_context
def command(ctx: click.Context, sources: tuple[str, ...], **options: Any) -> None:
    """Watch cameras, and record what moves, until Ctrl-C or for a --duration.

    SOURCE is an address (rtsp://..., http://...), a webcam's number, or a file with --loop; or --config names a file of
    cameras. Each event becomes a clip with a picture and its data, under FOLDER/CAMERA/DAY.

    A camera that drops is opened again, a process that dies is started again, and a disk that fills is told of. On
    SIGHUP the file of cameras is read again, and only cameras that changed are started again (not on Windows, which has
    no such signal: there it takes a restart).
    """
    set_verbosity(options["verbose"], options["quiet"])
    if options["as_json"]:
        write_log_as_json()
    if options["hash_password"]:
        print_hash()
        return
    if options["print_unit"]:
        _print_unit(sources, options["config"])
        return
    require("watch", "bgsub watch")
    if options["web"] or options["web_listen"]:
        require("web", "--web")
    _refuse_contradictions(ctx, sources, options)
    if status := _watch(ctx, sources, options):
        sys.exit(status)


def _refuse_contradictions(ctx: click.Context, sources: Sequence[str], o: dict[str, Any]) -> None:
    if not sources and not o["config"]:
        raise click.UsageError("Missing argument 'SOURCE...': give a camera, or --config with a file of cameras.", ctx)
    if o["config"]:
        typed = sorted(given(ctx, CAMERA_OPTIONS))
        if sources or typed:
            what = "sources" if sources else f"--{typed[0].replace('_', '-')}"
            raise click.UsageError(f"cameras and what is said of them stand in {o['config']}: leave out {what}", ctx)
    if o["detect"] and len(sources) > 1:
        raise click.UsageError("--detect is the small stream of one camera: give several cameras in --config", ctx)
    if o["no_listen"] and o["listen"]:
        raise click.UsageError("--listen and --no-listen contradict each other: leave one out", ctx)


def _watch(ctx: click.Context, sources: Sequence[str], o: dict[str, Any]) -> int:
    """Watch, or check what would be; return the exit status."""
    import asyncio

    from bgsub.cli.watch_printing import Printing, print_checked
    from bgsub.live.configuration.checking import check_sources
    from bgsub.live.household import services
    from bgsub.live.supervising.running import run, with_places

    def read() -> Configuration:
        asked = _asked(ctx, sources, o)
        check_sources(asked.watch)  # also when it is read again
        return asked

    watch, warnings = read()
    for line in warnings:
        logger.warning("%s", line)
    if o["check"]:
        print_checked(with_places(watch), as_json=o["as_json"])
        return 0
    if o["test_tell"]:
        return _tell_test(with_places(watch))
    printing = Printing(as_json=o["as_json"], quiet=o["quiet"])
    read_again, page = (read, Path(o["config"])) if o["config"] else (None, None)
    numbers: list[Other] = []
    parts = [printing, *services(numbers), *page_services(watch, page, read_again, numbers)]
    heard = asyncio.run(run(watch, parts, read_again=read_again, duration=o["duration"]))
    return 128 + heard if heard else 0


def _tell_test(watch: Watch) -> int:
    """Tell a test through each channel, print how that went, and return the exit status."""
    import asyncio

    from bgsub.live.telling.channels import try_each

    results = asyncio.run(try_each(watch.tell, Path(watch.directory), tuple(camera.name for camera in watch.cameras)))
    for name, error in results:
        click.echo(f"{name}: {error or 'told'}")
    if not results:
        click.echo("nobody would be told: name somebody under [tell] in the file of cameras")
    return int(any(error for _, error in results))


def _asked(ctx: click.Context, sources: Sequence[str], o: dict[str, Any]) -> Configuration:
    """Return what is watched: by the file of cameras, or by what was typed, which outdoes the file."""
    from bgsub.live.configuration.reading import Configuration, changed, read_configuration
    from bgsub.live.settings import Watch

    if o["config"]:
        watch, warnings = read_configuration(Path(o["config"]))
    else:
        watch, warnings = Watch(cameras=_typed_cameras(ctx, sources, o)), ()
    values: dict[str, Any] = {key: o[key] for key in ("state", "listen", "fsync") if o[key] is not None}
    if o["into"] is not None:
        values["directory"] = o["into"]
    if o["no_listen"]:
        values["listen"] = None
    values |= web_settings(watch, o)
    kept = {key: o[key] for key in RETENTION_OPTIONS if o[key] is not None}
    return Configuration(changed(watch, kept, **values), warnings)


def _typed_cameras(ctx: click.Context, sources: Sequence[str], o: dict[str, Any]) -> tuple[Any, ...]:
    from bgsub.live.configuration.naming import camera_names
    from bgsub.live.settings import Camera
    from bgsub.video.locating import locate

    said = {key: o[key] for key in CAMERA_OPTIONS if o[key] is not None and key in given(ctx, CAMERA_OPTIONS)}
    files = {source for source in sources if isinstance(locate(source), Path)}
    cameras = []
    for name, source in zip(camera_names(sources), sources, strict=True):
        is_meant = source in files or not files  # --loop is for the files among the sources; without any it is wrong
        cameras.append(Camera(name=name, source=source, **{**said, "loop": bool(o["loop"]) and is_meant}))
    return tuple(cameras)


def _print_unit(sources: Sequence[str], config: str | None) -> None:
    """Print a unit for systemd that runs this program with this file of cameras."""
    from bgsub.cli.watch_printing import systemd_unit

    if sources or not config:
        raise click.UsageError("a unit runs a file of cameras: give --print-unit --config FILE")
    click.echo(systemd_unit(Path(config).absolute()), nl=False)
