"""Frames a second of `bgsub scan` on a Dask cluster of this machine, by the number of its workers.

Copies of one video are scanned by one worker of one thread, by two and so on, in turn, each after a scan that nobody
counts: it compiles and imports. Run it on an idle machine.

    python scripts/bench_workers.py vtest.avi
    python scripts/bench_workers.py vtest.avi --fast --copies 6 --workers 1 2 4 --rounds 3
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from bench_scan import copies_of

from bgsub.distributed.connecting import connected
from bgsub.distributed.videos import Videos
from bgsub.jobs.inputs import Input, find_inputs
from bgsub.motion.folder import scan_all
from bgsub.motion.job import ScanJob


def seconds_of(inputs: list[Input], job: ScanJob, videos: Videos) -> tuple[float, int]:
    """Return how long a scan of all takes, and how many frames they have."""
    start = time.perf_counter()
    outcomes = scan_all(inputs, job, crew=videos.scan)
    seconds = time.perf_counter() - start
    if wrong := next((outcome.error for outcome in outcomes if outcome.error), None):
        raise SystemExit(str(wrong))
    return seconds, sum(outcome.scanned.tally.read for outcome in outcomes)


def main() -> None:
    """Print a line for each number of workers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument("--copies", type=int, default=6)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--fast", action="store_true", help="a smaller picture: ScanJob(fast=True)")
    asked = parser.parse_args()
    job = ScanJob("", fast=asked.fast, tracks=False)
    found: dict[int, list[float]] = {count: [] for count in asked.workers}
    frames = 0
    with tempfile.TemporaryDirectory() as folder:
        inputs = list(find_inputs([str(path) for path in copies_of(asked.video, asked.copies, Path(folder))]).each)
        for _ in range(asked.rounds):
            for count in asked.workers:
                with connected(workers=count) as client:
                    videos = Videos(client)
                    seconds_of(inputs[:count], job, videos)
                    seconds, frames = seconds_of(inputs, job, videos)
                    found[count].append(seconds)
    first = statistics.median(found[asked.workers[0]])
    for count, all_seconds in found.items():
        seconds = statistics.median(all_seconds)
        print(f"{count} workers: {seconds:6.1f} s, {frames / seconds:5.0f} frames/s, {first / seconds:.2f} times")


if __name__ == "__main__":
    main()
