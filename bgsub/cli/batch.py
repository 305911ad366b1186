"""Several inputs of ``bgsub run``: a line for each as it ends, and what came of all."""

from __future__ import annotations

import contextlib
import functools
import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bgsub.cli.progress import counting_bar, progress_bar
from bgsub.cli.scheduler import by_worker, connected

if TYPE_CHECKING:
    from bgsub.distributed.spreading import Sight
    from bgsub.jobs import Job
    from bgsub.jobs.batch import Do, Result, Through
    from bgsub.jobs.execution import Progress
    from bgsub.jobs.inputs import Input
    from bgsub.jobs.naming import Task

_WIDEST = 100
_FIGURES = "  {:<11}  {:>8}  {:>6}"
_WORDS = {"done": "done", "skipped": "done before", "failed": "failed", "interrupted": "interrupted"}


@dataclass(frozen=True)
class Work:
    """What is done with each input, in place of masks.

    Attributes
    ----------
    do : callable
        Does it; see `bgsub.jobs.batch`.
    what : str
        A verb for it.
    listed : str
        Name of the list of what is done.
    """

    do: Do
    what: str
    listed: str


def execute_batch(inputs: Sequence[Input], pattern: Job, options: dict[str, Any], work: Work | None = None) -> None:
    """Do the same with each input, say what came of it, and exit as the whole went.

    Parameters
    ----------
    inputs : sequence of Input
        As found.
    pattern : Job
        What is done with each.
    options : dict
        Of the command: ``into``, ``quiet``, ``as_json``, ``threads``, ``scheduler`` and its certificates.
    work : Work, optional
        What is done in place of masks.

    Raises
    ------
    OutputError, ParameterError
        Before anything is read, as `bgsub.jobs.batch.execute_all`.
    """
    from bgsub.jobs.batch import execute_all
    from bgsub.stores.store_paths import as_path

    folder = as_path(options["into"] or ".")
    report = _Report([item.shown for item in inputs], options)
    with contextlib.ExitStack() as stack:
        cluster = None if options["scheduler"] is None else stack.enter_context(_on_cluster(report, options, work))
        other: Any = {} if work is None else {"do": work.do, "listed": work.listed}
        told: Any = {"watch": report.watch, "on_result": report.tell}
        results = execute_all(inputs, pattern, folder, through=cluster, **told, **other)
    report.close(results, folder)
    for result in results:
        if result.state == "interrupted" and result.error is not None:
            if isinstance(result.error, KeyboardInterrupt):
                sys.exit(130)
            raise result.error
    if any(result.state == "failed" for result in results):
        sys.exit(1)


@contextlib.contextmanager
def _on_cluster(report: _Report, options: dict[str, Any], work: Work | None) -> Iterator[Through]:
    """Connect to a cluster, and yield what does tasks there."""
    from bgsub.distributed.videos import Videos
    from bgsub.threads import available_processors

    threads = options["threads"] or 1
    workers = min(report.count, max(1, available_processors() // threads))
    with connected(options, workers=workers, threads=threads) as client, report.counting():
        run = Videos(client, report.sight).run
        yield run if work is None else functools.partial(run, do=work.do, what=work.what)


class _Report:
    """What is said of the inputs as they end.

    Attributes
    ----------
    count : int
        How many there are.
    """

    def __init__(self, names: Sequence[str], options: dict[str, Any]) -> None:
        self.count = len(names)
        self._quiet, self._json = options["quiet"], options["as_json"]
        self._told = 0
        self._show: Any = None
        room = min(shutil.get_terminal_size().columns, _WIDEST) - len(_FIGURES.format("", "", ""))
        self._width = max(10, min(room, max(map(len, map(_shown, names)))))

    def watch(self, position: int, count: int, task: Task) -> Progress:
        """Return the progress bar of one input."""
        name = _shortened(_shown(task.input.full_name), 30)
        return lambda stage, total: progress_bar(f"{position} of {count}: {name}, {stage}", total, self._quiet)

    @contextlib.contextmanager
    def counting(self) -> Iterator[None]:
        """Show how many inputs are done, in place of a bar for each."""
        with counting_bar(f"{self.count} inputs", self.count, self._quiet, "") as self._show:
            yield

    def sight(self, sights: Sequence[Sight]) -> None:
        """Show what each worker of a cluster does."""
        if self._show is not None:
            self._show(self._told, "", by_worker(sights))

    def tell(self, position: int, count: int, result: Result) -> None:
        """Say what came of one input."""
        told = not (self._json or self._quiet)
        self._told += 1
        if told and self._told == 1:
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
        if left := self.count - len(results):
            counts["not begun"] = left
        told = ", ".join(f"{count} {word}" for word, count in counts.items())
        place = "the current folder" if folder == Path() else f"{_shown(str(folder))}/"
        click.echo(f"{self.count} {'input' if self.count == 1 else 'inputs'}: {told}; results in {place}")
        if any(result.state == "interrupted" for result in results):
            click.echo("The same command goes on from here.")


def _shown(name: str) -> str:
    """Return a name as it can stand in one line."""
    return name if name.isprintable() else ascii(name)


def _shortened(name: str, width: int) -> str:
    """Return a name, or its end where it is too long."""
    return name if len(name) <= width else f"...{name[len(name) - width + 3 :]}"
