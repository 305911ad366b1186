"""The progress bar: frames, rate, time left, and how much of the picture moves."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bgsub.pipeline import Tally

_INTERVAL = 0.1  # seconds between two updates


@contextlib.contextmanager
def progress_bar(title: str, total: int | None, quiet: bool) -> Iterator[Callable[[Tally], None] | None]:
    """Show a progress bar on stderr while the block runs; nothing where stderr is no terminal.

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
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.0f} frames/s"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[moving]:.1%} moving"),
    )
    # Redirected, a line for stdout appears above the bar; but a line for a file or a pipe must go there.
    to_screen = sys.stdout.isatty()
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=to_screen) as bar:
        task = bar.add_task(title, total=total, rate=0.0, moving=0.0)
        last_time, last_written, last_sum = 0.0, 0, 0.0

        def update(tally: Tally) -> None:
            nonlocal last_time, last_written, last_sum
            if tally.elapsed - last_time < _INTERVAL:
                return
            new = tally.written - last_written
            moving = (tally.foreground - last_sum) / new if new else 0.0
            bar.update(task, completed=tally.read, rate=tally.read / tally.elapsed, moving=moving)
            last_time, last_written, last_sum = tally.elapsed, tally.written, tally.foreground

        yield update
