"""Choose what `bgsub scan` takes for motion, each sequence without itself, and say what that is worth.

Views are cut into cells and scored as `score_events.py` does. A cell is masked once; each setting then sees the same
blobs and pictures. A setting's score of a sequence is F: twice the events right, over those found and those there. For
each sequence the setting is taken that is best on average over the others, and its score of that one counts: nothing is
scored on what it was chosen by.

    python scripts/choose_events.py sample_videos sample_videos/apart $BGSUB_DATA/cdnet --jobs 2
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product
from typing import NamedTuple
from unittest.mock import patch

import cv2
import numpy as np
from score_events import FPS, MERGE, Count, clipped, compared, true_events

import bgsub
from bgsub.evaluation.datasets import find_sequences
from bgsub.evaluation.sequences import LabelledSequence
from bgsub.motion import sifting
from bgsub.motion.blobs import Blob, find_blobs, least_area
from bgsub.motion.events import EventFinder, Rule
from bgsub.motion.observing import Observation


class Setting(NamedTuple):
    """What is chosen.

    Attributes
    ----------
    threshold, min_length : float
        Of `Rule`.
    area : float
        Times `least_area`.
    steady, moment : float
        Share of the last moment for which a blob is there, and seconds of that.
    """

    threshold: float = 0.0005
    min_length: float = 0.2
    area: float = 1.0
    steady: float = 0.75
    moment: float = 0.2


DEFAULT = Setting()
TRIED = [
    Setting(*values)
    for values in product((0.00025, 0.0005, 0.001, 0.002), (0.2, 0.4), (1, 2), (0.65, 0.75, 0.8), (0.1, 0.2, 0.3))
]
Seen = list[tuple[float, tuple[Blob, ...], np.ndarray]]


def main() -> None:
    """Print a line for each sequence, and means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+", help="folders of sequences with ground truth")
    parser.add_argument("--cells", type=int, default=2, help="cells along each side of a view")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--only", default="", help="sequences whose name holds this")
    chosen = parser.parse_args()
    sequences = [s for folder in chosen.data for s in find_sequences(folder) if chosen.only in s.key]
    with ProcessPoolExecutor(chosen.jobs) as pool:
        scores = dict(
            zip((s.key for s in sequences), pool.map(partial(score, cells=chosen.cells), sequences), strict=True)
        )
    tell(scores)


def tell(scores: Mapping[str, Mapping[Setting, float]]) -> None:
    """Print what is chosen for each sequence by the others, and how much that is worth."""
    print(f"{'sequence':29s}default  chosen by the others")
    worth = []
    for key, own in scores.items():
        best = best_of([other for name, other in scores.items() if name != key] or [own])
        worth.append(own[best])
        print(f"{key:29s}{own[DEFAULT]:7.2f}  {own[best]:.2f}  {tuple(best)}")
    best = best_of(list(scores.values()))
    print(f"{'mean':29s}{np.mean([own[DEFAULT] for own in scores.values()]):7.3f}  {np.mean(worth):.3f}")
    print(f"best of all, scored on what it was chosen by: {np.mean([own[best] for own in scores.values()]):.3f} {best}")
    for name in Setting._fields:  # one constant at a time, beside the defaults
        row = [s for s in TRIED if all(getattr(s, f) == getattr(DEFAULT, f) for f in Setting._fields if f != name)]
        print(name, *(f"{getattr(s, name)}: {np.mean([own[s] for own in scores.values()]):.3f}" for s in row), sep="  ")


def best_of(scores: list[Mapping[Setting, float]]) -> Setting:
    """Return the setting with the highest mean; the defaults where they are as good."""
    return max([DEFAULT, *TRIED], key=lambda setting: float(np.mean([own[setting] for own in scores])))


def score(sequence: LabelledSequence, cells: int) -> dict[Setting, float]:
    """Return F of each setting."""
    cv2.setNumThreads(1)
    frames = list(sequence)
    height, width = frames[0].image.shape[:2]
    labelled = [i for i, frame in enumerate(frames) if frame.truth is not None]
    span = (labelled[0] / FPS, (labelled[-1] + 1) / FPS)
    counts = dict.fromkeys(TRIED, Count())
    for row, column in np.ndindex(cells, cells):
        part = (
            slice(height * row // cells, height * (row + 1) // cells),
            slice(width * column // cells, width * (column + 1) // cells),
        )
        there = clipped(true_events(frames, part), span)
        seen = look([frame.image[part] for frame in frames])
        for area, steady, moment in sorted({setting[2:] for setting in TRIED}):
            observed = sift(seen, area, steady, moment)
            for setting in (s for s in TRIED if s[2:] == (area, steady, moment)):
                found = clipped(events(observed, seen[0][2].size, setting), span)
                counts[setting] = counts[setting].with_(compared(found, there))
    return {setting: 2 * n.right / max(n.found + n.there, 1) for setting, n in counts.items()}


def look(images: list[np.ndarray]) -> Seen:
    """Return time, blobs and picture of each frame, as a scan sees them."""
    model, seen = bgsub.BackgroundSubtractor(threads=1), []
    for i, image in enumerate(images):
        grey = np.ascontiguousarray(image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
        blobs = find_blobs(model.apply(grey), min_area=least_area((grey.shape[1], grey.shape[0])))
        seen.append((i / FPS, blobs, grey))
    return seen


def sift(seen: Seen, area: float, steady: float, moment: float) -> list[Observation]:
    """Return what moves in each frame."""
    height, width = seen[0][2].shape
    least, sieve, observed = area * least_area((width, height)), sifting.Sieve(), []
    with patch.multiple(
        sifting, _STEADY=steady, _MOMENT=moment, _MOMENT_OF_MUCH=0.75 * moment, _YOUNG_MOMENT=2 * moment
    ):
        for i, (time, blobs, grey) in enumerate(seen):
            moving = sieve.update(i, time, [blob for blob in blobs if blob.area >= least], grey)
            observed.append(moving.observation(i, time, float(grey.size)))
    return observed


def events(observed: list[Observation], region: float, setting: Setting) -> list[tuple[float, float]]:
    """Return the events' ends."""
    finder = EventFinder(Rule(setting.threshold, setting.min_length, merge=MERGE), float(region))
    found = [event for one in observed for event in finder.update(one)]
    return [(event.start, event.end) for event in [*found, *finder.finish(len(observed) / FPS)]]


if __name__ == "__main__":
    main()
