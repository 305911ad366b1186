"""Score the events of `bgsub scan`, and of a peer, against those that ground truth gives.

In short clips something nearly always moves somewhere. So each view is cut into cells, as if a camera looked at each,
and each cell is scanned as a lossless video. The rule of the truth: in a frame of motion objects cover at least
two thousandths of the cell (and 20 pixels), and half as many pixels have changed their label within .4 s; such frames
less than the merge window apart are one event; what is shorter than .2 s is none. An event is found when one of the
scan's has at least half of its time with it in common, over the time of either; each counts once. Only labelled frames
count.

    python scripts/score_events.py sample_videos sample_videos/apart $BGSUB_DATA/cdnet --peer dvr/bin/dvr-scan

With ``--fast`` both prefer speed: `bgsub scan --fast` looks at pictures of at most 320 pixels' width, five times a
second, the peer with ``-df 4`` at every frame in a quarter of its width, however small that is. ``--enlarge 4`` makes
the cells so large that both look at as many pixels. ``--preset indoor --only room,office`` scores ours with the least
area and length of a preset, on the sequences that are called so.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

import bgsub
from bgsub.evaluation.datasets import find_sequences
from bgsub.evaluation.sequences import LabelledFrame, LabelledSequence
from bgsub.motion.events import Event, Rule
from bgsub.motion.presets import PRESETS
from bgsub.motion.scanning import scan

FPS = 25
MERGE, SHORTEST = 0.5, 0.2  # seconds
MOVING = 255

Span = tuple[float, float]


class Count(NamedTuple):
    """Events found, events that there are, events right, seconds right and seconds of either."""

    found: float = 0
    there: float = 0
    right: float = 0
    common: float = 0.0
    either: float = 0.0

    def with_(self, other: Count) -> Count:
        """Return the sum of two."""
        return Count(*(a + b for a, b in zip(self, other, strict=True)))

    def row(self) -> str:
        """Return precision, recall and overlap."""
        precision, recall = self.right / max(self.found, 1), self.right / max(self.there, 1)
        overlap = self.common / max(self.either, 1e-9)
        return f"{self.found:4g} {self.there:4g} {self.right:4g}   {precision:.2f} {recall:.2f} {overlap:.2f}"


def main() -> None:
    """Print a line for each sequence, and sums."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+", help="folders of sequences with ground truth")
    parser.add_argument("--cells", type=int, default=2, help="cells along each side of a view")
    parser.add_argument("--peer", help="path of dvr-scan")
    parser.add_argument("--fast", action="store_true", help="as both are when speed is preferred")
    parser.add_argument("--enlarge", type=int, default=1, help="pixels along the side of one of the cells'")
    parser.add_argument("--preset", choices=PRESETS, help="of bgsub scan")
    parser.add_argument("--only", type=lambda text: text.split(","), help="names of sequences")
    chosen = parser.parse_args()
    names = ["bgsub", *(["peer"] if chosen.peer else [])]
    print("                             " + "".join(f"{name:35s}" for name in names))
    print(" " * 29 + "found there right  P    R    IoU   " * len(names))
    sums = {name: Count() for name in names}
    for folder in chosen.data:
        for sequence in (s for s in find_sequences(folder) if not chosen.only or s.key.split("/")[-1] in chosen.only):
            counts = score(sequence, chosen)
            print(f"{sequence.key:29s}" + "     ".join(count.row() for count in counts.values()), flush=True)
            sums = {name: sums[name].with_(counts[name]) for name in names}
    print(f"{'all':29s}" + "     ".join(count.row() for count in sums.values()))


def score(sequence: LabelledSequence, chosen: argparse.Namespace) -> dict[str, Count]:
    """Return what is found in all cells of a sequence."""
    cells, peer, larger = chosen.cells, chosen.peer, chosen.enlarge
    frames = list(sequence)
    height, width = frames[0].image.shape[:2]
    labelled = [i for i, frame in enumerate(frames) if frame.truth is not None]
    span = (labelled[0] / FPS, (labelled[-1] + 1) / FPS)
    counts = {"bgsub": Count(), **({"peer": Count()} if peer else {})}
    with tempfile.TemporaryDirectory() as folder:
        for row, column in np.ndindex(cells, cells):
            part = (
                slice(height * row // cells, height * (row + 1) // cells),
                slice(width * column // cells, width * (column + 1) // cells),
            )
            there = clipped(true_events(frames, part), span)
            video = Path(folder) / f"{row}{column}.mkv"
            with bgsub.VideoWriter(str(video), fps=FPS, lossless=True) as writer:
                for frame in frames:
                    image = np.ascontiguousarray(frame.image[part])
                    writer.write(image.repeat(larger, axis=0).repeat(larger, axis=1))
            ours = [(e.start, e.end) for e in bgsub_events(video, chosen.fast, chosen.preset)]
            counts["bgsub"] = counts["bgsub"].with_(compared(clipped(ours, span), there))
            if peer:
                theirs = clipped(peer_events(peer, video, chosen.fast), span)
                counts["peer"] = counts["peer"].with_(compared(theirs, there))
    return counts


def true_events(frames: list[LabelledFrame], part: tuple[slice, slice]) -> list[Span]:
    """Return the events of a cell by the truth's rule."""
    moving = [None if frame.truth is None else frame.truth[part] == MOVING for frame in frames]
    lag = round(0.4 * FPS)
    spans: list[Span] = []
    for i, now in enumerate(moving):
        before = moving[max(0, i - lag)]
        if now is None or before is None:
            continue
        least = max(20, 0.002 * now.size)
        if now.sum() >= least and (now != before).sum() >= least / 2:
            start, end = i / FPS, (i + 1) / FPS
            if spans and start - spans[-1][1] <= MERGE:
                start = spans.pop()[0]
            spans.append((start, end))
    return [span for span in spans if span[1] - span[0] >= SHORTEST - 1e-9]


def bgsub_events(video: Path, fast: bool, preset: str | None) -> Iterator[Event]:
    """Return the events of a scan with defaults, or a preset's least area and length, but the merge window."""
    rule = Rule(merge=MERGE, min_length=SHORTEST)
    if preset is not None:
        least, length = PRESETS[preset]["min_motion"], PRESETS[preset]["min_length"]
        rule = Rule(float(least.removesuffix("%")) / 100, length, merge=MERGE)
    return iter(scan(str(video), rule=rule, fast=fast))


def peer_events(peer: str, video: Path, fast: bool) -> list[Span]:
    """Return dvr-scan's events; of its time after an event, which is its merge window too, nothing is left."""
    options = ["-q", "-so", "-l", f"{SHORTEST}s", "-tb", "0", "-tp", f"{MERGE}s", "-i", str(video)]
    options += ["-df", "4"] if fast else []
    printed = subprocess.run([peer, *options], capture_output=True, text=True, check=True).stdout.strip()
    times = [seconds(word) for line in printed.splitlines() for word in line.split(",") if ":" in word]
    return [(start, max(start, end - MERGE)) for start, end in zip(times[::2], times[1::2], strict=True)]


def seconds(code: str) -> float:
    """Return a time code, 00:00:01.500, in seconds."""
    hours, minutes, rest = code.split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(rest)


def clipped(spans: list[Span], to: Span) -> list[Span]:
    """Return what of spans lies within another."""
    cut = [(max(start, to[0]), min(end, to[1])) for start, end in spans]
    return [(start, end) for start, end in cut if end > start]


def compared(found: list[Span], there: list[Span]) -> Count:
    """Return which of the events are right, each at most once, the best pairs first."""
    pairs = sorted(((overlap(a, b), i, j) for i, a in enumerate(found) for j, b in enumerate(there)), reverse=True)
    taken: set[tuple[str, int]] = set()
    right = 0
    for common, i, j in pairs:
        if common >= 0.5 and not {("found", i), ("there", j)} & taken:
            taken |= {("found", i), ("there", j)}
            right += 1
    both = sum(max(0.0, min(a[1], b[1]) - max(a[0], b[0])) for a in found for b in there)
    length = sum(end - start for start, end in [*found, *there])
    return Count(len(found), len(there), right, both, length - both)


def overlap(a: Span, b: Span) -> float:
    """Return the time that two spans have in common over that of either."""
    common = max(0.0, min(a[1], b[1]) - max(a[0], b[0]))
    return common / (a[1] - a[0] + b[1] - b[0] - common)


if __name__ == "__main__":
    main()
