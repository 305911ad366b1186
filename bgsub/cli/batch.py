"""Several inputs of ``bgsub run``: a line for each as it ends, and what came of all."""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bgsub.cli.progress import progress_bar

if TYPE_CHECKING:
    from bgsub.jobs import Job
    from bgsub.jobs.batch import Result
    from bgsub.jobs.execution import Progress
    from bgsub.jobs.inputs import Input
    from bgsub.jobs.naming import Task

_WIDEST = 100
_FIGURES = "  {:<11}  {:>8}  {:>6}"
_WORDS = {"done": "done", "skipped": "done before", "failed": "failed", "interrupted": "interrupted"}


def execute_batch(inputs: Sequence[Input], pattern: Job, options: dict[str, Any]) -> None:
    """Do the same with each input, say what came of it, and exit as the whole went.

    Parameters
    ----------
    inputs : sequence of Input
        As found.
    pattern : Job
        What is done with each.
    options : dict
        Of the command: ``into``, ``quiet``, ``as_json``.

    Raises
    ------
    OutputError, ParameterError
        Before anything is read, as `bgsub.jobs.batch.execute_all`.
    """
    from bgsub.jobs.batch import execute_all
    from bgsub.video.store_paths import as_path

    folder = as_path(options["into"] or ".")
    report = _Report([item.shown for item in inputs], options)
    results = execute_all(inputs, pattern, folder, watch=report.watch, on_result=report.tell)
    report.close(results, folder)
    last = results[-1]
    if last.state == "interrupted" and last.error is not None:
        if isinstance(last.error, KeyboardInterrupt):
            sys.exit(130)
        raise last.error
    if any(result.state == "failed" for result in results):
        sys.exit(1)


class _Report:
    """What is said of the inputs as they end."""

    def __init__(self, names: Sequence[str], options: dict[str, Any]) -> None:
        self._count = len(names)
        self._quiet, self._json = options["quiet"], options["as_json"]
        room = min(shutil.get_terminal_size().columns, _WIDEST) - len(_FIGURES.format("", "", ""))
        self._width = max(10, min(room, max(map(len, map(_shown, names)))))

    def watch(self, position: int, count: int, task: Task) -> Progress:
        """Return the progress bar of one input."""
        name = _shortened(_shown(task.input.full_name), 30)
        return lambda stage, total: progress_bar(f"{position} of {count}: {name}, {stage}", total, self._quiet)

    def tell(self, position: int, count: int, result: Result) -> None:
        """Say what came of one input."""
        told = not (self._json or self._quiet)
        if told and position == 1:
            click.echo(f"{'input':<{self._width}}{_FIGURES.format('result', 'frames', 'moving')}".rstrip())
        if result.state == "failed":
            click.echo(f"Error: {result.error}", err=True)
        if self._json:
            click.echo(json.dumps(result.as_dict()))
        elif told:
            click.echo(self._row(result))

    def _row(self, result: Result) -> str:
        figures = ["", ""]
        if result.summary is not None:
            tally = result.summary.tally
            figures = [f"{tally.read:,}", f"{tally.mean_foreground:.1%}"]
        name = _shortened(_shown(result.task.input.shown), self._width)
        return f"{name:<{self._width}}{_FIGURES.format(_WORDS[result.state], *figures)}".rstrip()

    def close(self, results: Sequence[Result], folder: Path) -> None:
        """Say what came of all."""
        if self._json or self._quiet:
            return
        counts = Counter(_WORDS[result.state] for result in results)
        if left := self._count - len(results):
            counts["not begun"] = left
        told = ", ".join(f"{count} {word}" for word, count in counts.items())
        place = "the current folder" if folder == Path() else f"{_shown(str(folder))}/"
        click.echo(f"{self._count} {'input' if self._count == 1 else 'inputs'}: {told}; results in {place}")
        if results[-1].state == "interrupted":
            click.echo("The same command goes on from here.")


def _shown(name: str) -> str:
    """Return a name as it can stand in one line."""
    return name if name.isprintable() else ascii(name)


def _shortened(name: str, width: int) -> str:
    """Return a name, or its end where it is too long."""
    return name if len(name) <= width else f"...{name[len(name) - width + 3 :]}"
