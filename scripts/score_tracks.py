"""Score the tracks of `bgsub scan` against the objects that the sample videos were drawn with.

The objects are drawn again, without light: which pixel belongs to whom tells the boxes of all frames (minutes; with
`--keep FOLDER` once). An object counts in frames in which it covers at least 40 pixels, if these are five or more. A
box is right where it and an object's have at least .4 of both in common, each with one other a frame. IDF1 is the share
of boxes that are right if each object has one track and each track one object, those that serve best. An object is
found, and a track is right, if half of its frames are of one track, or object. All frames are looked at.

    python scripts/score_tracks.py street room --keep /tmp/objects
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from sample_scenes import CLIPS, Scene
from scipy.optimize import linear_sum_assignment

import bgsub
from bgsub.motion.blobs import Box

SAMPLES = Path(__file__).resolve().parent.parent / "sample_videos"
LEAST_PIXELS, LEAST_FRAMES, LEAST_OVERLAP = 40, 5, 0.4

Boxes = list[dict[int, Box]]
"""Of each frame, by the number of the object or track."""


class Count(NamedTuple):
    """Objects, those found, tracks, those right; boxes of objects, of tracks, and right ones under one number."""

    objects: int = 0
    found: int = 0
    tracks: int = 0
    right: int = 0
    drawn: int = 0
    told: int = 0
    same: int = 0

    def row(self) -> str:
        """Return precision and recall of tracks, and IDF1."""
        precision, recall = self.right / max(self.tracks, 1), self.found / max(self.objects, 1)
        idf1 = 2 * self.same / max(self.drawn + self.told, 1)
        return " | ".join([*map(str, self[:4]), *(f"{share:.2f}" for share in (precision, recall, idf1))])


def main() -> None:
    """Print a row for each clip, and the sum."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", default=[], help="names; all without")
    parser.add_argument("--keep", type=Path, help="folder of the objects' boxes: written once, then read")
    chosen = parser.parse_args()
    total = Count()
    print("| clip | objects | found | tracks | right | precision | recall | IDF1 |\n|---|---|---|---|---|---|---|---|")
    for name in chosen.clips or CLIPS:
        scan = bgsub.scan(str(SAMPLES / CLIPS[name].folder / f"{name}.mp4"), looks=None)
        list(scan)
        told: Boxes = [{} for _ in range(scan.result.tally.read)]
        for track in scan.result.tracks:
            for sighting in track.sightings:
                told[sighting.frame][track.number] = sighting.box
        count = compared(objects(name, chosen.keep), told)
        print(f"| {name} | {count.row()} |", flush=True)
        total = Count(*(a + b for a, b in zip(total, count, strict=True)))
    print(f"| **all** | {total.row()} |")


def compared(drawn: Boxes, told: Boxes) -> Count:
    """Return how well tracks are the objects."""
    pairs: Counter[tuple[int, int]] = Counter()
    for there, found in zip(drawn, told, strict=True):
        pairs.update(matched(there, found))
    objects, tracks = Counter(k for frame in drawn for k in frame), Counter(k for frame in told for k in frame)
    table = np.array([[pairs[a, b] for b in tracks] for a in objects]).reshape(len(objects), len(tracks))
    rows, columns = linear_sum_assignment(-table)
    n_found = sum(max(table[i], default=0) >= n / 2 for i, n in enumerate(objects.values()))
    n_right = sum(max(table[:, j], default=0) >= n / 2 for j, n in enumerate(tracks.values()))
    return Count(
        len(objects), n_found, len(tracks), n_right, objects.total(), tracks.total(), int(table[rows, columns].sum())
    )


def matched(there: dict[int, Box], found: dict[int, Box]) -> list[tuple[int, int]]:
    """Return which objects and tracks are one in a frame, by the overlap of their boxes."""
    share = np.array([[overlap(a, b) for b in found.values()] for a in there.values()]).reshape(len(there), len(found))
    rows, columns = linear_sum_assignment(-np.where(share >= LEAST_OVERLAP, share, 0))
    names, numbers = list(there), list(found)
    return [(names[i], numbers[j]) for i, j in zip(rows, columns, strict=True) if share[i, j] >= LEAST_OVERLAP]


def overlap(a: Box, b: Box) -> float:
    """Return what two boxes have in common, over what either covers."""
    width = max(0, min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0]))
    height = max(0, min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1]))
    return width * height / (a[2] * a[3] + b[2] * b[3] - width * height)


def objects(name: str, folder: Path | None) -> Boxes:
    """Return the boxes of a clip's objects, read or drawn."""
    kept = None if folder is None else folder / f"{name}.json"
    if kept is not None and kept.exists():
        rows = json.loads(kept.read_text())
    else:
        scene = CLIPS[name].build(1.0)
        rows = [boxes(scene, i / scene.fps) for i in range(scene.frame_count)]
        if kept is not None:
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps(rows))
    seen = Counter(number for row in rows for number, _, area in row if area >= LEAST_PIXELS)
    return [
        {number: tuple(box) for number, box, area in row if area >= LEAST_PIXELS and seen[number] >= LEAST_FRAMES}
        for row in rows
    ]


def boxes(scene: Scene, time: float) -> Sequence[tuple[int, Box, int]]:
    """Return number, box and pixels of each object that is seen at a time."""
    who = scene.stage.who(time)
    if scene.shake:
        matrix, nearest = scene.shake.matrix(time, *scene.size), cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
        who = cv2.warpAffine(who, matrix, scene.size, flags=nearest, borderValue=-1)
    told = []
    for number in np.unique(who[who >= 0]).tolist():
        rows, columns = np.nonzero(who == number)
        left, top = int(columns.min()), int(rows.min())
        told.append((number, (left, top, int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1), len(rows)))
    return told


if __name__ == "__main__":
    main()
