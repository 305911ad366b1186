"""What ``bgsub scan`` prints: progress, the events of each video as it ends, and what came of all."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import click

from bgsub.cli.progress import counting_bar
from bgsub.cli.scheduler import by_worker
from bgsub.cli.tables import print_table
from bgsub.motion.clips.spans import reach
from bgsub.motion.crossings import count
from bgsub.motion.outputs import in_words
from bgsub.times import timecode, written_time

if TYPE_CHECKING:
    from bgsub.distributed.spreading import Sight
    from bgsub.jobs.inputs import Input
    from bgsub.motion.events import Event
    from bgsub.motion.folder import Outcome
    from bgsub.motion.working import ScanTask

_INTERVAL = 0.2  # seconds between two updates of the bar
_LEAST_OVER = 0.05  # seconds that a clip reaches over which are told
_PICTURES = ("format", "heat", "background")  # of a result, what nobody reads in a terminal
_WORDS = {"done": "done", "skipped": "done before", "failed": "failed", "interrupted": "interrupted"}


class Printing:
    """Prints what a scan finds.

    Parameters
    ----------
    inputs : sequence of Input
        What is scanned.
    options : mapping
        Of the command.
    """

    def __init__(self, inputs: Sequence[Input], options: Mapping[str, Any]) -> None:
        self._inputs = inputs
        self._quiet, self._json, self._still = (options[name] for name in ("quiet", "as_json", "list_still"))
        self._null = options["null"]
        self._waits = options["rank"] is not None  # for all events, to compare them
        self._stack = contextlib.ExitStack()
        self._early: dict[int, Outcome] = {}  # by position: those that ended before one that comes before them
        self._turn = 0
        self._done = 0.0  # videos, the parts of those in work too
        self._parts: dict[int, float] = {}
        self._frames: dict[int, int] = {}
        self._began = self._shown = time.monotonic()
        self._percent, self._rate = 0, ""
        self._show: Any = None

    def __enter__(self) -> Self:
        several = len(self._inputs) > 1
        title = f"{len(self._inputs)} videos" if several else _printable(self._inputs[0].full_name)
        self._show = self._stack.enter_context(counting_bar(title, 100, self._quiet, "%"))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def sight(self, sights: Sequence[Sight]) -> None:
        """Show what each worker of a cluster does."""
        if self._show is not None:
            self._show(self._percent, self._rate, by_worker(sights))

    def watch(self, task: ScanTask, read: int, total: int | None) -> None:
        """Show how far a video is."""
        self._frames[task.position] = read
        self._parts[task.position] = min(1.0, read / total) if total else 0.0
        now = time.monotonic()
        if self._show is not None and now - self._shown >= _INTERVAL:
            self._shown = now
            self._rate = f"{sum(self._frames.values()) / (now - self._began):.0f} frames/s"
            self._percent = int(100 * (self._done + sum(self._parts.values())) / len(self._inputs))
            self._show(self._percent, self._rate)

    def tell(self, outcome: Outcome) -> None:
        """Say what was found in one video."""
        self._parts.pop(outcome.task.position, None)
        self._done += 1
        if outcome.state == "failed":
            click.echo(f"Error: {outcome.error}", err=True)
        if self._waits:
            return
        self._early[outcome.task.position] = outcome
        while (turn := self._early.pop(self._turn, None)) is not None:
            self._turn += 1
            self._tell_found(turn)

    def ranked(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Compare the events of all videos, print them, the most unusual first, and return the outcomes with that."""
        from bgsub.motion.unusual import mark_unusual

        results, why_not = mark_unusual([outcome.scanned for outcome in outcomes])
        marked = [replace(outcome, scanned=result) for outcome, result in zip(outcomes, results, strict=True)]
        if why_not:
            click.echo(f"Warning: {why_not}", err=True)
        for outcome in marked:
            self._tell_found(outcome)
        return marked

    def _tell_found(self, outcome: Outcome) -> None:
        if self._json:
            return
        name = outcome.task.input.shown
        if self._still:
            if outcome.scanned.is_still:
                _print_name(name, "\0" if self._null else "\n")
        elif self._quiet:
            if outcome.scanned.facts is not None:
                click.echo(",".join(_times(outcome.scanned.events)))
        else:
            self._print(outcome)

    def _print(self, outcome: Outcome) -> None:
        """Print the events of a video as a table."""
        scanned, name = outcome.scanned, _printable(outcome.task.input.shown)
        if scanned.facts is None:
            if len(self._inputs) > 1:
                click.echo(f"{name}: not scanned")
            return
        n = len(scanned.events)
        found = "nothing moves" if not n else f"{n} event{'s' if n > 1 else ''}"
        note = "" if outcome.state == "done" else f" ({_WORDS[outcome.state]})"
        tally = scanned.tally
        rate = f", {tally.rate:.0f} frames/s" if outcome.state == "done" else ""
        click.echo(
            f"{name}: {found} in {written_time(scanned.facts.duration)} (looked at {tally.read:,} frames{rate}){note}"
        )
        if n:
            zones = any(event.zones for event in scanned.events)
            rank = any(event.unusual is not None for event in scanned.events)
            head = ["event", "start", "end", "seconds", "moving", "objects"]
            head += ["unusual"] * rank + ["zones"] * zones
            events = sorted(scanned.events, key=lambda event: -(event.unusual or 0))
            print_table(head, [_row(event, rank, zones) for event in events], tall=True)
        for line, crossed in count(outcome.task.job.zones, scanned.tracks).items():
            click.echo(f"  {line}: {crossed}")
        if tally.damaged:
            click.echo(f"  {tally.damaged:,} frame{'' if tally.damaged == 1 else 's'} damaged and skipped")
        if outcome.state != "skipped":
            _print_outputs(outcome)

    @contextlib.contextmanager
    def writing(self, path: str) -> Iterator[Any]:
        """Show that a file of all results is being written, and say so when it is; yields the bar's update, or None."""
        with counting_bar(_printable(path), 100, self._quiet, "%") as show:
            yield None if show is None else lambda done, of: show(100 * done // of)
        if not (self._json or self._quiet or self._still):
            click.echo(f"  wrote {_printable(path)}")

    def close(self, outcomes: Sequence[Outcome]) -> None:
        """Say what came of all."""
        for position in sorted(self._early):  # after an interruption those before them are missing
            self._tell_found(self._early.pop(position))
        if self._json:
            told = [_as_dict(outcome) for outcome in outcomes]
            click.echo(json.dumps(told if len(self._inputs) > 1 else told[0]))
            return
        if self._quiet or self._still or len(self._inputs) == 1:
            return
        counts = Counter(_WORDS[outcome.state] for outcome in outcomes)
        if left := len(self._inputs) - len(outcomes):
            counts["not begun"] = left
        events = sum(len(outcome.scanned.events) for outcome in outcomes)
        still = [outcome for outcome in outcomes if outcome.scanned.is_still]
        told_counts = ", ".join(f"{count} {word}" for word, count in counts.items())
        found = f"{events} event{'' if events == 1 else 's'}"
        click.echo(f"{len(self._inputs)} videos: {told_counts}; {found}, nothing moves in {len(still)}")


def _print_outputs(outcome: Outcome) -> None:
    """Say which files of a video were written, and how far clips that are copied reach over."""
    told = in_words(outcome.outputs)
    if told:
        click.echo(f"  wrote {_printable(str(outcome.task.folder / outcome.task.name))}.*: {told}")
    copied = [clip for clip in outcome.clips if clip.copied]
    if copied and outcome.scanned.facts is not None:
        before, after = reach(copied, outcome.task.job.rule, outcome.scanned.facts.duration)
        over = [f"{text} up to {s:.1f} s {than}" for text, s, than in _over(before, after) if s >= _LEAST_OVER]
        if over:
            click.echo(f"  copied between key frames, clips {' and '.join(over)}")


def _over(before: float, after: float) -> tuple[tuple[str, float, str], ...]:
    return ("begin", before, "earlier"), ("end", after, "later")


def _row(event: Event, rank: bool, zones: bool) -> list[str]:
    row = [
        str(event.number),
        written_time(event.start),
        written_time(event.end),
        f"{event.length:.2f}",
        f"{event.share:.2%}",
        str(len(event.tracks)),
    ]
    if rank:
        row.append("" if event.unusual is None else f"{event.unusual:.0%}")
    return [*row, ", ".join(event.zones)] if zones else row


def _times(events: Sequence[Event]) -> list[str]:
    """Return start and end of events as other programs read them: 00:00:01.500."""
    return [timecode(seconds) for event in events for seconds in (event.start, event.end)]


def _as_dict(outcome: Outcome) -> dict[str, Any]:
    told = {name: value for name, value in outcome.scanned.as_dict().items() if name not in _PICTURES}
    outputs = [str(path) for path in outcome.outputs]
    clips = [
        {"event": c.event.number, "file": str(c.path), "start": c.start, "end": c.end, "copied": c.copied}
        for c in outcome.clips
    ]
    return {**told, "source": outcome.task.input.shown, "state": outcome.state, "outputs": outputs, "clips": clips}


def _print_name(name: str, end: str) -> None:
    """Print a name byte by byte as the system has it, for programs that read it."""
    sys.stdout.flush()
    sys.stdout.buffer.write(os.fsencode(name + end))
    sys.stdout.buffer.flush()


def _printable(name: str) -> str:
    """Return a name as it can stand in one line."""
    return name if name.isprintable() else ascii(name)
