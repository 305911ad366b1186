"""What ``bgsub watch`` prints: a line an event, a table of the cameras where there is a terminal, or JSON."""

from __future__ import annotations

import json
import shlex
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bgsub.live.configuration.describing import described
from bgsub.live.messages import (
    CameraFound,
    CameraLost,
    EventClosed,
    EventOpened,
    EventRecord,
    FromCamera,
    Trouble,
    as_json,
)

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

    from bgsub.live.health.state import Health
    from bgsub.live.settings import Watch
    from bgsub.live.supervising.running import Running

_REFRESH = 2.0  # times a second


class Printing:
    """A service that prints what cameras tell, on stdout, and how they are, on stderr.

    Parameters
    ----------
    as_json : bool
        One object a line, no table.
    quiet : bool
        Nothing of either.
    """

    name = "terminal"

    def __init__(self, *, as_json: bool, quiet: bool) -> None:
        self._as_json, self._quiet = as_json, quiet
        self._live: Live | None = None

    async def start(self, running: Running) -> None:
        """Begin to print."""
        if self._quiet:
            return
        running.audience.add(self)
        if not self._as_json and sys.stderr.isatty():
            self._live = _live_table(running.health)
            self._live.start()

    async def take(self, message: FromCamera) -> None:
        """Print a line, where a message is worth one."""
        if self._as_json:
            if isinstance(message, EventOpened | EventClosed | CameraLost | CameraFound | Trouble):
                click.echo(as_json(message))
            return
        match message:
            case EventClosed(record):
                click.echo(_event_line(record))
            case CameraLost(camera=camera, at=at, why=why):
                click.echo(f"{_local(at)}  {camera}  lost: {why}")
            case Trouble(at=at, why=why, camera=whose):
                what = whose or "recordings"
                click.echo(f"{_local(at)}  {what}  {'trouble: ' + why if why else 'no trouble any more'}")
            case CameraFound(camera=camera, at=at, away=away):
                click.echo(f"{_local(at)}  {camera}  is back, after {_duration(away)}")

    async def change(self, watch: Watch) -> None:
        """Do nothing."""

    async def stop(self) -> None:
        """Take the table away."""
        if self._live is not None:
            self._live.stop()


def _event_line(record: EventRecord) -> str:
    length = None if record.end is None else (record.end - record.start).total_seconds()
    words = [
        _local(record.start),
        record.camera,
        record.kind if length is None else f"{record.kind} {length:.1f} s",
        ", ".join(record.zones),
        ", ".join(f"{count} {crossing}" for crossing, count in record.crossings.items()),
        record.clip or "",
        f"({record.error})" if record.error else "",
    ]
    return "  ".join(word for word in words if word)


def _local(moment: datetime) -> str:
    """Return a moment in the zone of whoever looks."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _live_table(health: Health) -> Live:
    from rich.console import Console
    from rich.live import Live

    return Live(
        get_renderable=lambda: _table(health),
        console=Console(stderr=True),
        refresh_per_second=_REFRESH,
        transient=True,
    )


def _table(health: Health) -> Table:
    """Return how the cameras are."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for heading in ("camera", "state", "frames/s", "dropped", "moving", "events", "last event", ""):
        table.add_column(heading, justify="right" if heading in ("frames/s", "dropped", "moving", "events") else "left")
    for name, known in health.cameras.items():
        status = known.status
        state = "starting" if status is None else "silent" if health.is_stale(known) else status.state
        last = "" if known.last_event is None else f"{known.last_event.astimezone():%H:%M:%S}"
        remark = "" if status is None else status.why or status.trouble or ("recording" if status.event else "")
        rates = (
            ["", "", ""]
            if status is None
            else [f"{status.frames_per_second:.1f}", str(status.dropped), f"{status.moving:.1%}"]
        )
        cells = [name, state, *rates, str(known.events), last, remark]
        style = "" if state == "live" else "yellow" if state in ("starting", "connecting") else "red"
        table.add_row(*(Text(cell, no_wrap=True, overflow="ellipsis") for cell in cells), style=style)
    return table


# ------------------------------------------------------------------------------------------------ what would be watched


def print_checked(watch: Watch, *, as_json: bool) -> None:
    """Print what would be watched, without secrets."""
    told = described(watch)
    if as_json:
        click.echo(json.dumps(told, indent=2))
        return
    for camera in told["cameras"]:
        zones = ", ".join(f"{zone['name']} ({zone['kind']})" for zone in camera["zones"])
        words = [
            f"looks at {camera['detect']}" if camera["detect"] else "",
            f"records {camera['record']}",
            f"zones {zones}" if zones else "",
            f"when {', '.join(camera['schedule'])}" if camera["schedule"] else "",
            "encoded anew: it has a privacy zone" if camera["privacy"] else "",
        ]
        click.echo(f"{camera['name']}: {camera['source']}; {'; '.join(word for word in words if word)}")
    click.echo(f"recordings: {told['directory']}; {_rules(watch)}")
    click.echo(f"index and models: {told['state']}")
    click.echo(f"told: {', '.join(told['tell']) or 'nobody'}")
    click.echo(f"health and metrics: {watch.listen or 'not served'}")


def _rules(watch: Watch) -> str:
    rules = watch.retention
    words = [
        f"kept for {rules.max_age / 86400:g} days"
        if rules.max_age is not None
        else "kept for as long as there is room",
        f"at most {rules.max_size / 1e9:g} GB" if rules.max_size is not None else "",
        f"{rules.min_free / 1e9:.3g} GB stay free",
    ]
    return ", ".join(word for word in words if word)


def systemd_unit(config: Path) -> str:
    """Return a unit for systemd that runs this program with a file of cameras."""
    from importlib.resources import files

    unit = files("bgsub.live").joinpath("packaging", "bgsub-watch.service").read_text(encoding="utf-8")
    program = shlex.join([sys.executable, "-m", "bgsub"])
    return unit.replace("/opt/bgsub/bin/python -m bgsub", program).replace(
        "/etc/bgsub/cameras.toml", shlex.quote(str(config))
    )
