"""Time `bgsub scan` against DVR-Scan over a folder of recordings: whole processes, in turn.

Both find events and write nothing. DVR-Scan takes the recordings as one timeline, since it has no other way; so either
pays its start once. Times are medians of the rounds: by the clock, and of all processors, which other programs disturb
less. The last line is a scan of one frame: what comes before it, and after.

    python scripts/bench_scan.py VIDEO... --peer dvr/bin/dvr-scan     # in an environment of its own: dvr-scan==1.8.2.1
    python scripts/bench_scan.py VIDEO --copies 1 --width 1920        # enlarged first: what a day of it would take
"""

from __future__ import annotations

import argparse
import ctypes
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bench_whole_run import enlarge

from bgsub import open_source
from bgsub.threads import available_processors

DAY_FPS, DAY_S = 25, 86_400
_PR_SET_CHILD_SUBREAPER = 36  # of Linux

Command = list[str]


class Taken(NamedTuple):
    """Seconds of a process: by the clock, and of all processors."""

    clock: float
    processors: float


def run(command: Command) -> Taken:
    """Run a command to its end."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    clock = time.perf_counter() - start
    while True:  # what it has left behind, as the process does that starts the others
        try:
            os.wait()
        except ChildProcessError:
            break
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{' '.join(command[:4])} ... ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return Taken(clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def adopt_orphans() -> None:
    """Be the parent of what processes leave behind, so that its time is counted: on Linux alone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def copies_of(video: Path, n: int, folder: Path) -> list[Path]:
    """Return n names of a video in a folder."""
    names = [folder / f"{i:02}{video.suffix}" for i in range(n)]
    for name in names:
        try:
            os.link(video.resolve(), name)
        except OSError:  # another file system
            shutil.copy(video, name)
    return names


def commands(folder: Path, videos: Sequence[Path], peer: str | None) -> dict[str, Command]:
    """Return what takes turns, each before what it is compared with."""
    ours = [sys.executable, "-m", "bgsub", "scan", str(folder), "-q"]
    both = {"bgsub scan": ours, "bgsub scan --fast": [*ours, "--fast"]}
    if peer is None:
        return both
    theirs = [peer, "-q", "-so", "-i", *map(str, videos)]
    return {**both, "dvr-scan": theirs, "dvr-scan -df 4": [*theirs, "-df", "4"]}


def compared(taken: dict[str, list[Taken]], frames: int) -> None:
    """Print a line for each command, beside the peer's of the same kind."""
    peers = {"bgsub scan": "dvr-scan", "bgsub scan --fast": "dvr-scan -df 4"}
    for name, times in taken.items():
        medians = [statistics.median(values) for values in zip(*times, strict=True)]
        line = f"  {name:20}"
        for i, what in enumerate(Taken._fields):
            line += f" {medians[i]:7.2f} s {what}"
            if peers.get(name) in taken:
                ratios = [theirs[i] / ours[i] for theirs, ours in zip(taken[peers[name]], times, strict=True)]
                line += f" ({statistics.median(ratios):.2f}x)"
        print(f"{line}, {frames / medians[0]:.0f} frames/s")
        if name == "bgsub scan":
            hours = DAY_S * DAY_FPS * medians[1] / frames / 3600
            print(f"  {'':20} a day of such frames at {DAY_FPS}/s: {hours:.1f} hours of one processor")


def measure(video: Path, arguments: argparse.Namespace) -> None:
    """Time one video's copies."""
    with open_source(video) as source:
        frames, info = arguments.copies * sum(1 for _ in source), source.info
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        videos = copies_of(video, arguments.copies, folder)
        turns = commands(folder, videos, arguments.peer)
        first = [*turns["bgsub scan"][:4], str(videos[0]), "-q", "--end", "0.001"]
        run(first)  # compiles, where that was not done
        taken: dict[str, list[Taken]] = {name: [] for name in turns}
        starts = []
        for _ in range(arguments.rounds):
            for name, command in turns.items():
                taken[name].append(run(command))
            starts.append(run(first))
    print(
        f"{video.name}, {info.width}x{info.height}, {frames} frames in {arguments.copies} files, "
        f"{available_processors()} processors, medians of {arguments.rounds} rounds"
    )
    compared(taken, frames)
    clock, processors = (statistics.median(values) for values in zip(*starts, strict=True))
    print(f"  {'one frame':20} {clock:7.2f} s clock {processors:7.2f} s processors")


def main() -> None:
    """Time each video."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", nargs="+", type=Path)
    parser.add_argument("--peer", metavar="PROGRAM", help="DVR-Scan's command")
    parser.add_argument("--copies", type=int, default=10, help="of each video (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="(default: %(default)s)")
    parser.add_argument("--width", type=int, help="enlarge the videos to this width first")
    arguments = parser.parse_args()
    adopt_orphans()
    with tempfile.TemporaryDirectory() as name:
        for video in arguments.videos:
            wide = Path(name) / f"{video.stem}-{arguments.width}.mp4"
            if arguments.width:
                enlarge(video, arguments.width, wide)
            measure(wide if arguments.width else video, arguments)


if __name__ == "__main__":
    main()
