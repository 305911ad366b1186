"""Methods over sequences on a cluster, one errand a sequence, with the scores of an evaluation here."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from functools import partial

from distributed import Client

from bgsub.distributed.at_work import Errand, Place
from bgsub.distributed.spreading import OnSight, Sight, spread
from bgsub.errors import BgsubError, SourceError
from bgsub.evaluation.running import Plan, SequenceResult, evaluate_sequence
from bgsub.evaluation.sequences import LabelledSequence
from bgsub.jobs.execution import INTERRUPTIONS


def evaluate_on(
    client: Client,
    sequences: Sequence[LabelledSequence],
    plan: Plan,
    *,
    progress: Callable[[int], None] | None = None,
    on_sight: OnSight | None = None,
) -> Generator[SequenceResult, None, None]:
    """Evaluate sequences on a cluster, and yield their results in the same order.

    Parameters
    ----------
    client : distributed.Client
        Of the cluster.
    sequences : sequence of LabelledSequence
        What is read: in folders that all machines see by the same, absolute name.
    plan : Plan
        What is done with each; its folders likewise.
    progress : callable, optional
        Called with the number of frames masked so far, over all sequences and entries.
    on_sight : callable, optional
        Called five times a second with the sequences that are in work.

    Raises
    ------
    BgsubError
        Of the first sequence that fails; the text names it. The others are taken back.
    """
    errands = [
        Errand(i, "evaluate", sequence.key, partial(evaluate_there, sequence, plan), plan.threads)
        for i, sequence in enumerate(sequences)
    ]
    ended_frames, results, turn = 0, {}, 0

    def seen(sights: Sequence[Sight]) -> None:
        if progress is not None:
            progress(ended_frames + sum(sight.read for sight in sights))
        if on_sight is not None:
            on_sight(sights)

    for ended in spread(client, errands, seen):
        number = ended.errand.number
        if isinstance(ended.error, (*INTERRUPTIONS, BgsubError)):
            raise ended.error
        if ended.error is not None:
            reason = f"{type(ended.error).__name__}: {' '.join(str(ended.error).split())}"
            raise SourceError(f"{ended.errand.name}: {reason}") from ended.error
        results[number] = ended.result
        ended_frames += (sequences[number].frame_count or 0) * len(plan.entries)
        while turn in results:
            yield results.pop(turn)
            turn += 1


class Stopped(Exception):
    """Nobody wants the result any more."""


def evaluate_there(sequence: LabelledSequence, plan: Plan, place: Place) -> SequenceResult:
    """Evaluate a sequence where this process is, with the threads that it has there."""
    count, total = 0, sequence.frame_count

    def tick(n: int) -> None:
        nonlocal count
        count += n
        place.tell(count, None if total is None else total * len(plan.entries))
        if place.stop():
            raise Stopped

    return evaluate_sequence(sequence, replace(plan, threads=place.threads), tick)
