"""The speed benchmark: OpenCV's MOG2 and our models in one process, on the same frames, in turn.

A machine's speed drifts with its heat and its other work, so two programs timed one after the other compare
little but the minutes they ran in. Here every variant gets a block of a few frames each round, in an order
shuffled anew, and what is reported is the median over the rounds of the ratio within a round.
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np

from bgsub.background.methods import METHODS
from bgsub.errors import ParameterError
from bgsub.evaluation.scenes import synthetic_scene

Apply = Callable[[np.ndarray], np.ndarray]
"""Takes the next frame, returns its mask: the bound `apply` of a model, so that nothing but it is timed."""

OPENCV = "opencv"
_SAME_MODEL = ("exact", "compact")  # variants whose masks should be OpenCV's
SIZES = ((640, 480), (1280, 720), (1920, 1080))
_N_SYNTHETIC = 40  # frames; run there and back they make a stream of any length without a jump
_SEED = 0


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and quartiles."""

    median: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class SpeedResult:
    """One comparison on one size of frame.

    Attributes
    ----------
    width, height : int
        Size of the frames in pixels.
    threads : int
        Threads that each variant was allowed.
    shadows : bool
        Whether shadows were detected.
    rounds, block : int
        Rounds run, and frames of each in a round.
    milliseconds : dict of str to float
        Median time a frame of each variant: ``opencv``; ``exact`` and ``compact``, which are `MOG2` in both
        precisions; ``adaptive``, which is `BackgroundSubtractor`.
    speedup : dict of str to Spread
        How many times faster than OpenCV each other variant was, round by round.
    differing : dict of str to float
        Share of all pixels, 0 to 1, in which the masks of ``exact`` and ``compact`` differ from OpenCV's.
    """

    width: int
    height: int
    threads: int
    shadows: bool
    rounds: int
    block: int
    milliseconds: dict[str, float]
    speedup: dict[str, Spread]
    differing: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        """Return the result as plain dictionaries and numbers, as JSON can hold them."""
        return asdict(self)


def compare(
    sizes: Sequence[tuple[int, int]] = SIZES,
    threads: Sequence[int] = (1, 2),
    rounds: int = 20,
    block: int = 6,
    shadows: bool = True,
    frames: Sequence[np.ndarray] | None = None,
    on_result: Callable[[SpeedResult], None] | None = None,
) -> list[SpeedResult]:
    """Compare OpenCV's MOG2 with our models for each size and number of threads.

    Parameters
    ----------
    sizes : sequence of (int, int), default=640x480, 1280x720 and 1920x1080
        Width and height in pixels of the synthetic frames.
    threads : sequence of int, default=(1, 2)
        Numbers of threads to allow each variant.
    rounds, block : int, default=20 and 6
        Rounds, and frames that each variant masks in a round.
    shadows : bool, default=True
        Whether to detect shadows.
    frames : sequence of ndarray of uint8, optional
        Frames of a clip to run instead of synthetic ones, all (H, W, 3) or (H, W) of one size, at least 2.
    on_result : callable, optional
        Called with each result as it comes.

    Returns
    -------
    list of SpeedResult
        One for each size and number of threads.

    Raises
    ------
    ParameterError
        When an argument is out of its bounds.
    """
    clips: Iterable[Sequence[np.ndarray]]
    clips = [frames] if frames is not None else (list(synthetic_scene(*size, _N_SYNTHETIC)[0]) for size in sizes)
    results = []
    for clip in clips:
        for n_threads in threads:
            result = measure(clip, n_threads, rounds=rounds, block=block, shadows=shadows)
            if on_result is not None:
                on_result(result)
            results.append(result)
    return results


def measure(
    frames: Sequence[np.ndarray],
    threads: int = 1,
    *,
    rounds: int = 20,
    block: int = 6,
    shadows: bool = True,
    warmup: int = 100,
) -> SpeedResult:
    """Compare OpenCV's MOG2 with our models on one clip with one number of threads.

    Parameters
    ----------
    frames, threads, rounds, block, shadows
        As in `compare`.
    warmup : int, default=100
        Frames to mask before the first that is timed: for compiling, and for the models to fill up.

    Returns
    -------
    SpeedResult

    Raises
    ------
    ParameterError
        When an argument is out of its bounds.
    """
    _check(frames, threads=threads, rounds=rounds, block=block, warmup=warmup)
    variants = _variants(threads, shadows)
    stream = _there_and_back(frames)
    agreement = _Agreement()
    before = cv2.getNumThreads()
    cv2.setNumThreads(threads)
    try:
        for image in itertools.islice(stream, warmup):
            agreement.add({name: [variant(image)] for name, variant in variants.items()})
        seconds = interleave(variants, stream, rounds, block, observe=agreement.add)
    finally:
        cv2.setNumThreads(before)

    height, width = frames[0].shape[:2]
    return SpeedResult(
        width=width,
        height=height,
        threads=threads,
        shadows=shadows,
        rounds=rounds,
        block=block,
        milliseconds={name: 1000 * float(np.median(times)) for name, times in seconds.items()},
        speedup={name: _speedup(seconds[OPENCV], seconds[name]) for name in variants if name != OPENCV},
        differing=agreement.differing,
    )


def interleave(
    variants: Mapping[str, Apply],
    frames: Iterator[np.ndarray],
    rounds: int,
    block: int,
    *,
    clock: Callable[[], float] = time.perf_counter,
    observe: Callable[[Mapping[str, list[np.ndarray]]], None] | None = None,
) -> dict[str, list[float]]:
    """Time variants on the same frames, a block each in turn, in an order shuffled every round.

    Parameters
    ----------
    variants : mapping of str to callable
        What to time: each is called with every frame, in order, and returns its mask.
    frames : iterator of ndarray
        At least `rounds` times `block` frames.
    rounds, block : int
        Rounds, and frames of a block.
    clock : callable, default=time.perf_counter
        Returns the time in seconds.
    observe : callable, optional
        Called after each round, out of the time, with copies of its masks by variant.

    Returns
    -------
    dict of str to list of float
        For each variant its seconds a frame in each round.
    """
    order = list(variants)
    shuffle = random.Random(_SEED).shuffle
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        images = list(itertools.islice(frames, block))
        masks: dict[str, list[np.ndarray]] = {name: [] for name in variants}
        shuffle(order)
        for name in order:
            elapsed = 0.0
            for image in images:
                start = clock()
                mask = variants[name](image)
                elapsed += clock() - start
                if observe is not None:
                    masks[name].append(mask.copy())  # a copy, for the variant to get its memory back
            seconds[name].append(elapsed / len(images))
        if observe is not None:
            observe(masks)
    return seconds


class _Agreement:
    """Counts the pixels in which masks of the same model differ from OpenCV's."""

    def __init__(self) -> None:
        self._n_pixels = 0
        self._n_differing: dict[str, int] = {}

    def add(self, masks: Mapping[str, list[np.ndarray]]) -> None:
        """Compare the masks of some frames."""
        self._n_pixels += sum(mask.size for mask in masks[OPENCV])
        for name in masks.keys() & _SAME_MODEL:
            differing = sum(
                int(np.count_nonzero(ours != theirs)) for ours, theirs in zip(masks[name], masks[OPENCV], strict=True)
            )
            self._n_differing[name] = self._n_differing.get(name, 0) + differing

    @property
    def differing(self) -> dict[str, float]:
        """The share of all pixels compared, by variant."""
        return {name: count / self._n_pixels for name, count in sorted(self._n_differing.items())}


def _variants(threads: int, shadows: bool) -> dict[str, Apply]:
    """Return new models: OpenCV's, ours of the same kind in both precisions, and the adaptive one."""
    ours = {"detect_shadows": shadows, "threads": threads}
    return {
        OPENCV: cv2.createBackgroundSubtractorMOG2(history=500, varThreshold=16, detectShadows=shadows).apply,
        **{name: METHODS["mog2"].create(precision=name, **ours).apply for name in _SAME_MODEL},
        "adaptive": METHODS["adaptive"].create(**ours).apply,
    }


def _speedup(theirs: Sequence[float], ours: Sequence[float]) -> Spread:
    lower, median, upper = np.quantile(np.divide(theirs, ours), [0.25, 0.5, 0.75])
    return Spread(median=float(median), lower=float(lower), upper=float(upper))


def _there_and_back(frames: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield the frames forwards and backwards for ever."""
    turns = itertools.cycle([*range(len(frames)), *range(len(frames) - 2, 0, -1)])
    return (frames[i] for i in turns)


def _check(frames: Sequence[np.ndarray], **counts: int) -> None:
    least = {"warmup": 0}
    for name, count in counts.items():
        if count < least.get(name, 1):
            raise ParameterError(f"{name}={count}: give {least.get(name, 1)} or more")
    if len(frames) < 2:
        raise ParameterError(f"the clip has {len(frames)} frames: a benchmark needs at least 2")
    for i, image in enumerate(frames):
        if image.dtype != np.uint8 or image.shape != frames[0].shape or image.ndim not in (2, 3):
            raise ParameterError(
                f"frame {i} has shape {image.shape} and dtype {image.dtype}: give uint8 frames of one shape"
            )
