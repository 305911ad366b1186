"""Time the adaptive model with 1, 2, 4, ... threads in turn, and say how much of a frame one thread works alone.

Frames are those of a video, enlarged. The serial share is the wall time of `apply` during which exactly one thread
works, with two threads, over the time of a frame with one. Work is what threads share, and all that the caller does
besides; OpenCV is held to one thread, so what it does counts as serial. On a busy machine a thread that waits for a
processor seems to work alone: beside it stands the processor time that one thread spends outside of what is shared,
over all of its processor time, which does not depend on others. From it Amdahl's law estimates more threads.

    python scripts/bench_scaling.py VIDEO
    python scripts/bench_scaling.py VIDEO --width 640 --height 480 --threads 1,2,4,8,16
"""

from __future__ import annotations

import argparse
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from bgsub import MOG2, BackgroundSubtractor
from bgsub import threads as pool
from bgsub.video.opening import open_source

WARM_UP = 40  # frames
Interval = tuple[int, float, float]  # thread, begin, end


class Witness:
    """Takes the place of `bgsub.threads.share`: notes who works when."""

    def __init__(self) -> None:
        self.intervals: list[Interval] = []
        self.calls = 0
        self.processor_seconds = 0.0  # of the caller, in what is shared
        self._share = pool.share

    def __call__(self, work: pool.Work, n: int, threads: int) -> None:
        """Share work as ever, and note the intervals of its ranges."""
        self.calls += threads > 1

        def noted(lo: int, hi: int) -> None:
            begun, spent = time.perf_counter(), time.thread_time()
            work(lo, hi)
            if threading.current_thread() is threading.main_thread():
                self.processor_seconds += time.thread_time() - spent
            self.intervals.append((threading.get_ident(), begun, time.perf_counter()))

        self._share(noted, n, threads)

    def seconds_together(self) -> float:
        """Return for how long two or more threads worked, and begin anew."""
        changes = sorted(change for _, begin, end in self.intervals for change in ((begin, 1), (end, -1)))
        self.intervals.clear()
        together, working = 0.0, 0
        for (moment, step), (following, _) in itertools.pairwise([*changes, (0.0, 0)]):
            working += step
            together += following - moment if working > 1 else 0.0
        return together


def main() -> None:
    """Print a row a number of threads, and the serial shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument("--width", type=int, default=1920)
    parser.add_argument("--height", type=int, default=1080)
    parser.add_argument("--threads", default="1,2,4,8,16")
    parser.add_argument("--frames", type=int, default=60)
    given = parser.parse_args()
    counts = sorted({1, 2, *map(int, given.threads.split(","))})
    cv2.setNumThreads(1)
    variants: dict[str, Callable] = {f"adaptive, {n}": BackgroundSubtractor(threads=n).apply for n in counts}
    variants |= {f"MOG2, {n}": MOG2(threads=n).apply for n in counts}
    frames = list(enlarged(given.video, given.width, given.height, WARM_UP + given.frames))
    measured = measure(variants, frames)
    print(f"{given.width}x{given.height}, median ms a frame of {len(frames) - WARM_UP} frames\n")
    print("| threads | adaptive | processor time | hand-overs | MOG2 |\n|---:|---:|---:|---:|---:|")
    for n in counts:
        ours, exact = measured[f"adaptive, {n}"], measured[f"MOG2, {n}"]
        wall, spent = 1000 * np.median(ours["wall"]), 1000 * np.median(ours["process"])
        cells = f"{wall:.2f} | {spent:.2f} | {np.mean(ours['calls']):.1f} | {1000 * np.median(exact['wall']):.2f}"
        print(f"| {n} | {cells} |")
    tell_shares(measured["adaptive, 1"], measured["adaptive, 2"])


def enlarged(video: Path, width: int, height: int, n: int) -> Iterator[np.ndarray]:
    """Yield n frames of a video in another size, there and back if it has fewer."""
    with open_source(str(video)) as source:
        frames = [frame.image for frame in itertools.islice(source, n)]
    for image in itertools.islice(itertools.cycle([*frames, *frames[::-1]]), n):
        yield cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)


def measure(variants: dict[str, Callable], frames: list[np.ndarray]) -> dict[str, dict[str, list[float]]]:
    """Return of each variant what every frame took, each frame given to all in turn."""
    witness = Witness()
    pool.share, before = witness, pool.share
    kinds = ("wall", "process", "outside", "alone", "calls")
    measured: dict[str, dict[str, list[float]]] = {name: {kind: [] for kind in kinds} for name in variants}
    try:
        for t, frame in enumerate(frames):
            for name in sorted(variants, key=lambda name: hash((name, t))):
                witness.calls, witness.processor_seconds = 0, 0.0
                process, spent, begun = time.process_time(), time.thread_time(), time.perf_counter()
                variants[name](frame)
                wall, spent, process = (
                    time.perf_counter() - begun,
                    time.thread_time() - spent,
                    time.process_time() - process,
                )
                alone, outside = wall - witness.seconds_together(), spent - witness.processor_seconds
                if t >= WARM_UP:
                    values = (wall, process, outside, alone, witness.calls)
                    for kind, value in zip(kinds, values, strict=True):
                        measured[name][kind].append(value)
    finally:
        pool.share = before
    return measured


def tell_shares(one: dict[str, list[float]], two: dict[str, list[float]]) -> None:
    """Print the serial shares, and what they let expect of more threads."""
    t1, t2 = float(np.median(one["wall"])), float(np.median(two["wall"]))
    share = float(np.sum(one["outside"]) / np.sum(one["process"]))
    alone = float(np.median(two["alone"])) / t1
    print(f"\nserial share, by the clock with 2 threads: {alone:.1%}; 2 T2/T1 - 1: {2 * t2 / t1 - 1:.1%}")
    print(f"processor time outside of what is shared: {share:.1%}")
    print("Amdahl's estimate from that, times as fast as 1 thread: ", end="")
    print(", ".join(f"{n} threads {1 / (share + (1 - share) / n):.1f}" for n in (2, 4, 8, 16)))


if __name__ == "__main__":
    main()
