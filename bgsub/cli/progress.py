"""The progress bar of every command: what is done of what, time left, and a remark.

Whatever takes long in the library calls a function with the number of things done so far, and knows nothing of bars: a
dashboard gives it a function of its own.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bgsub.pipeline import Tally

_BAR, _SMALLEST_BAR = 40, 10  # columns of the terminal
_REMARK = 29  # columns of an ordinary one: "1234 frames/s  12.3% moving"
_INTERVAL = 0.1  # seconds between two updates by a tally


class Progress(Protocol):
    """To be called with how many things are done so far, and with a remark on them."""

    def __call__(self, done: int, /, remark: str = "", below: Sequence[str] | None = None) -> None:
        """Take note; lines that stand below the bar stay until there are others."""


@contextlib.contextmanager
def counting_bar(title: str, total: int | None, quiet: bool, unit: str) -> Iterator[Progress | None]:
    """Show a progress bar on stderr while the block runs; nothing where stderr is no terminal.

    Parameters
    ----------
    title : str
        What is going on.
    total : int or None
        Things that will be done, None where nobody knows.
    quiet : bool
        Show nothing.
    unit : str
        What is counted: "rows"; empty where the remark says it.

    Yields
    ------
    Progress or None
        To be called with the number of things done so far.
    """
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console, RenderableType
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.text import Text

    lines: Sequence[str] = ()

    class Bar(Progress):
        """With lines below it."""

        def get_renderables(self) -> Iterator[RenderableType]:
            yield from super().get_renderables()
            yield from (Text(line, no_wrap=True, overflow="ellipsis") for line in lines)

    console = Console(stderr=True)
    of_all = "?" if total is None else f"{total:,}"
    # Where there is little room the bar goes first, then the end of the remark; what is done and the time left stay.
    room = console.width - len(f"  {title} {of_all}/{of_all} {unit} ETA 0:00:00 ")
    bar_room = room - _REMARK
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        *([BarColumn(min(bar_room, _BAR))] if bar_room >= _SMALLEST_BAR else []),
        TextColumn("{task.fields[count]}", markup=False),
        TextColumn("for" if total is None else "ETA"),
        TimeElapsedColumn() if total is None else TimeRemainingColumn(),
        TextColumn("{task.fields[remark]}", markup=False),
    )
    # Redirected, a line for stdout appears above the bar; but a line for a file or a pipe must go there.
    to_screen = sys.stdout.isatty()
    with Bar(*columns, console=console, transient=True, redirect_stdout=to_screen) as bar:
        task = bar.add_task(title, total=total, count="", remark="")

        def show(done: int, /, remark: str = "", below: Sequence[str] | None = None) -> None:
            nonlocal lines
            lines = lines if below is None else below
            bar.update(
                task, completed=done, count=f"{done:,}/{of_all} {unit}".rstrip(), remark=_shortened(remark, room)
            )

        yield show


def _shortened(remark: str, room: int) -> str:
    """Return as many parts of a remark, which stand two spaces apart, as have room."""
    parts = remark.split("  ")
    while parts and len("  ".join(parts)) > room:
        parts.pop()
    return "  ".join(parts)


def waiting(title: str, quiet: bool) -> contextlib.AbstractContextManager[Progress | None]:
    """Show on stderr, where it is a terminal, what is going on while the block runs, and for how long."""
    return counting_bar(title, None, quiet, "")


@contextlib.contextmanager
def progress_bar(title: str, total: int | None, quiet: bool) -> Iterator[Callable[[Tally], None] | None]:
    """Show the bar of a run over frames, with its rate, and how much of the picture moves.

    Parameters
    ----------
    title : str
        What is going on.
    total : int or None
        Frames that will be read, None where nobody knows.
    quiet : bool
        Show nothing.

    Yields
    ------
    callable or None
        To be called with the tally after every frame.
    """
    with counting_bar(title, total, quiet, "") as show:
        yield None if show is None else _of_tally(show)


def _of_tally(show: Progress) -> Callable[[Tally], None]:
    """Return what shows a run's tally, now and then."""
    last_time, last_written, last_sum = 0.0, 0, 0.0

    def told(read: int, rate: float, moving: float) -> None:
        show(read, f"{rate:.0f} frames/s  {moving:.1%} moving")

    def update(tally: Tally) -> None:
        nonlocal last_time, last_written, last_sum
        if tally.elapsed - last_time < _INTERVAL:
            return
        new = tally.written - last_written
        told(tally.read, tally.rate, (tally.foreground - last_sum) / new if new else 0.0)
        last_time, last_written, last_sum = tally.elapsed, tally.written, tally.foreground

    told(0, 0.0, 0.0)  # a run may be over before the first update is due
    return update
