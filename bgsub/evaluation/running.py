"""Methods over sequences, in this process or in several, one sequence each."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bgsub.errors import BgsubError, SourceError
from bgsub.evaluation.methods import ChosenMethod
from bgsub.evaluation.samples import MaskStore, Sample, choose_frames, take_samples
from bgsub.evaluation.scoring import OnFrame, SequenceScore, evaluate
from bgsub.evaluation.sequences import LabelledFrame, LabelledSequence
from bgsub.evaluation.stored import MaskWriter, StoredMasks, folder_name

_POLL_S = 0.2
_WARM_UP = 3  # frames for a throw-away model, so that compiling is in nobody's time


Entry = ChosenMethod | StoredMasks
"""What takes part in a comparison."""

Tick = Callable[[int], None]
"""Called with the number of frames just done."""


@dataclass(frozen=True)
class Plan:
    """What is done with each sequence.

    Attributes
    ----------
    entries : sequence of Entry
        Their labels differ.
    threads : int
        Threads of each model.
    samples : int
        Frames to be shown in a report; 0 for none.
    masks : Path or None
        Folder for ``category/sequence/bin%06d.png``, below a folder for each method if there are several.
    """

    entries: Sequence[Entry]
    threads: int = 1
    samples: int = 0
    masks: Path | None = None

    def masks_of(self, method: ChosenMethod) -> Path:
        """Return the folder for a method's masks."""
        assert self.masks is not None
        several = sum(isinstance(entry, ChosenMethod) for entry in self.entries) > 1
        return self.masks / folder_name(method.label) if several else self.masks


@dataclass(frozen=True)
class SequenceResult:
    """What came of one sequence.

    Attributes
    ----------
    scores : list of SequenceScore
        One for each entry of the plan.
    samples : list of Sample
        Frames to be shown.
    """

    scores: list[SequenceScore]
    samples: list[Sample]


class _Stopped(Exception):
    """The main process is ending."""


def evaluate_all(
    sequences: Sequence[LabelledSequence],
    plan: Plan,
    *,
    jobs: int = 1,
    progress: Callable[[int], None] | None = None,
) -> Generator[SequenceResult, None, None]:
    """Evaluate sequences, and yield their results in the same order.

    Parameters
    ----------
    sequences : sequence of LabelledSequence
        What is read.
    plan : Plan
        What is done with each.
    jobs : int
        Processes; times a frame are only worth comparing where there is one, or a processor for each.
    progress : callable, optional
        Called with the number of frames masked so far, over all sequences and entries.

    Raises
    ------
    BgsubError
        Of the first sequence that fails; the text names it. What was not begun by then is left.
    """
    if jobs == 1 or len(sequences) == 1:
        done = 0

        def tick(n: int) -> None:
            nonlocal done
            done += n
            if progress is not None:
                progress(done)

        for sequence in sequences:
            yield evaluate_sequence(sequence, plan, tick)
    else:
        yield from _in_processes(sequences, plan, min(jobs, len(sequences)), progress)


def evaluate_sequence(sequence: LabelledSequence, plan: Plan, tick: Tick) -> SequenceResult:
    """Evaluate one sequence with every entry of a plan; `tick` is told of every frame.

    Raises
    ------
    BgsubError
        When it cannot be read, or a method fails; the text names the sequence.
    """
    stores = [MaskStore() for _ in plan.entries] if plan.samples else []
    threads_before = cv2.getNumThreads()
    cv2.setNumThreads(plan.threads)
    try:
        scores = []
        for i, entry in enumerate(plan.entries):
            observers: list[OnFrame] = [stores[i]] if stores else []
            if plan.masks is not None and isinstance(entry, ChosenMethod):
                observers.append(MaskWriter(plan.masks_of(entry) / sequence.category / sequence.name))
            scores.append(_score(entry, sequence, plan.threads, observers, tick))
        chosen = choose_frames(scores[0], plan.samples) if plan.samples else {}
        samples = take_samples(sequence, chosen, stores) if chosen else []
    except BgsubError as error:
        if sequence.key in str(error):
            raise
        raise type(error)(f"{sequence.key}: {error}") from error
    finally:
        cv2.setNumThreads(threads_before)
    return SequenceResult(scores, samples)


def _score(
    entry: Entry, sequence: LabelledSequence, threads: int, observers: Sequence[OnFrame], tick: Tick
) -> SequenceScore:
    def on_frame(frame: LabelledFrame, mask: np.ndarray) -> None:
        for observer in observers:
            observer(frame, mask)
        tick(1)

    if isinstance(entry, StoredMasks):
        score = entry.score(sequence, on_frame)
        tick(score.n_frames - len(score.counts))
        return score
    first = next(iter(sequence), None)
    if first is None:
        raise SourceError(f"{sequence.key} has no frames: leave it out")
    warming = entry.create(threads)
    for _ in range(_WARM_UP):
        warming.apply(first.image)
    return evaluate(sequence, entry.create(threads), on_frame)


# ------------------------------------------------------------------------------------------------------ processes

_shared: Any = None
"""In a worker: the number of frames that all workers have masked; negative when they are to stop."""


def _in_processes(
    sequences: Sequence[LabelledSequence], plan: Plan, jobs: int, progress: Callable[[int], None] | None
) -> Generator[SequenceResult, None, None]:
    # Started anew, not forked: OpenCV's and Numba's threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    count = context.Value("q", 0)
    initial = (count, logging.getLogger("bgsub").getEffectiveLevel())
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin, initargs=initial) as pool:
        waiting = deque(pool.submit(_work, sequence, plan) for sequence in sequences)
        try:
            while waiting:
                _await(waiting, count, progress)
                yield waiting.popleft().result()  # and lets go of it: samples are large
        except BrokenProcessPool as error:
            raise BgsubError(
                f"a process died, perhaps for want of memory, at {sequences[-len(waiting)].key} or soon after it: "
                "use fewer --jobs"
            ) from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            with count.get_lock():
                count.value = -(1 << 62)


def _await(waiting: Sequence[Future], count: Any, progress: Callable[[int], None] | None) -> None:
    """Wait for the first result, showing progress; raise at once what any other has failed with."""
    pending = set(waiting)
    while waiting[0] in pending:
        done, pending = wait(pending, timeout=_POLL_S, return_when=FIRST_COMPLETED)
        for future in done:
            future.result()
        if progress is not None:
            progress(count.value)


def _begin(count: Any, level: int) -> None:
    """Prepare a worker: Ctrl-C reaches the whole group of processes, and the main one decides what it means."""
    global _shared
    _shared = count
    logging.getLogger("bgsub").setLevel(level)
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _work(sequence: LabelledSequence, plan: Plan) -> SequenceResult:
    return evaluate_sequence(sequence, plan, _count_frames)


def _count_frames(n: int) -> None:
    with _shared.get_lock():
        if _shared.value < 0:
            raise _Stopped
        _shared.value += n
