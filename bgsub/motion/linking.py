"""Which blob of a frame is which object that is being followed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bgsub.motion.blobs import Blob, Box
from bgsub.motion.under_way import UnderWay

_COVERED = 0.5  # share of a box within another one, to be a piece of it or hidden in it
_UNION = 1.3  # of its usual width and height: pieces that reach farther are other objects
_SLACK = 4.0  # pixels more
_SMALLEST = 8.0  # pixels; the reach of what is smaller is that of this
_REACH, _REACH_A_SECOND, _FARTHEST = 0.5, 5.0, 2.0  # of its larger side: at once, with time, and at most
_NEW = 2.0  # seconds, since when one of two pieces of an object was first seen
_LIKE = 5.0  # times larger or smaller: what does not overlap must be of like area


class Link(NamedTuple):
    """What of a frame is an object.

    Attributes
    ----------
    box, area, center
        As of a blob.
    n : int
        Blobs that it consists of.
    shared : bool
        Others are in the same blob.
    keeps : bool
        It keeps the blob where it is shared for too long.
    """

    box: Box
    area: float
    center: tuple[float, float]
    n: int = 1
    shared: bool = False
    keeps: bool = True


class Links(NamedTuple):
    """Which objects were found, which ones were pieces of others, and which blobs nobody knows."""

    found: list[tuple[UnderWay, Link]]
    swallowed: list[UnderWay]
    new: list[Blob]


def link(paths: Sequence[UnderWay], blobs: Sequence[Blob], time: float) -> Links:
    """Link blobs to objects, one to one, then pieces to their wholes, and objects to blobs that hide them.

    Tracks come before what may be noise, overlap before distance, and of all pairs the closest first.

    Parameters
    ----------
    paths : sequence of UnderWay
        Objects that are being followed, in the order in which they begin.
    blobs : sequence of Blob
        Of the frame.
    time : float
        Of the frame, in seconds.
    """
    if not paths:
        return Links([], [], list(blobs))
    ahead = np.array([path.predicted(time) for path in paths])
    seen = np.array([blob.box for blob in blobs], float)
    shared = _intersections(ahead, seen)
    owners, of_blob = _assigned(paths, ahead, seen, shared, time)
    pieces = _pieces(paths, blobs, ahead, shared, owners, of_blob)
    hidden, swallowed = _hidden(paths, ahead, shared, owners, of_blob)
    found = []
    for i, j in owners.items():
        whole = _joined([blobs[k] for k in (j, *pieces.get(i, ()))])
        members = [i, *(k for k, behind in hidden.items() if behind == j)]
        if len(members) == 1:
            found.append((paths[i], whole))
        else:
            parts = _parted(ahead[members], whole, [paths[k].area for k in members])
            found += zip((paths[k] for k in members), parts, strict=True)
    taken = {*of_blob, *(j for parts in pieces.values() for j in parts)}
    return Links(found, [paths[i] for i in swallowed], [blob for j, blob in enumerate(blobs) if j not in taken])


def _intersections(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the area that each box of `a` has in common with each of `b`."""

    def along(axis: int) -> np.ndarray:
        begin = np.maximum(a[:, None, axis], b[None, :, axis])
        end = np.minimum((a[:, axis] + a[:, axis + 2])[:, None], (b[:, axis] + b[:, axis + 2])[None])
        return np.maximum(end - begin, 0)

    return along(0) * along(1)


def _assigned(
    paths: Sequence[UnderWay], ahead: np.ndarray, seen: np.ndarray, shared: np.ndarray, time: float
) -> tuple[dict[int, int], dict[int, int]]:
    """Return the blob of each object, and the object of each blob."""
    areas, blob_areas = (ahead[:, 2] * ahead[:, 3])[:, None], (seen[:, 2] * seen[:, 3])[None]
    overlap = shared / (areas + blob_areas - shared)
    apart = (ahead[:, :2] + ahead[:, 2:] / 2)[:, None] - (seen[:, :2] + seen[:, 2:] / 2)[None]
    away = np.array([time - path.seen for path in paths])
    reach = np.maximum(ahead[:, 2:].max(axis=1), _SMALLEST) * np.minimum(_REACH + _REACH_A_SECOND * away, _FARTHEST)
    distance = np.hypot(apart[..., 0], apart[..., 1]) / reach[:, None]
    near = (distance <= 1) & (areas < _LIKE * blob_areas) & (blob_areas < _LIKE * areas)
    young = np.array([0.0 if path.number else 1.0 for path in paths])[:, None]
    cost = np.where(shared > 0, 1 - overlap, np.where(near, 2 + distance, np.inf)) + young
    owners: dict[int, int] = {}
    of_blob: dict[int, int] = {}
    possible = np.argwhere(np.isfinite(cost))
    for i, j in possible[np.argsort(cost[tuple(possible.T)], kind="stable")].tolist():
        if i not in owners and j not in of_blob:
            owners[i], of_blob[j] = j, i
    return owners, of_blob


def _pieces(
    paths: Sequence[UnderWay],
    blobs: Sequence[Blob],
    ahead: np.ndarray,
    shared: np.ndarray,
    owners: dict[int, int],
    of_blob: dict[int, int],
) -> dict[int, list[int]]:
    """Return the further blobs that are pieces of objects; objects that may be noise lose theirs, in place."""
    pieces: dict[int, list[int]] = {}
    share = shared / [blob.box[2] * blob.box[3] for blob in blobs]
    for j in np.flatnonzero(share.max(axis=0) >= _COVERED).tolist():
        owner = of_blob.get(j)
        if owner is not None and paths[owner].number:
            continue
        near = np.flatnonzero(share[:, j] >= _COVERED)
        for i in near[np.argsort(-share[near, j], kind="stable")].tolist():
            if i not in owners or i == owner or (owner is not None and not paths[i].number):
                continue
            whole = _joined([blobs[k] for k in (owners[i], *pieces.get(i, ()), j)]).box
            limit = _UNION * ahead[i, 2:] + _SLACK
            if whole[2] <= limit[0] and whole[3] <= limit[1]:
                pieces.setdefault(i, []).append(j)
                if owner is not None:
                    del owners[owner], of_blob[j]
                break
    return pieces


def _hidden(
    paths: Sequence[UnderWay],
    ahead: np.ndarray,
    shared: np.ndarray,
    owners: dict[int, int],
    of_blob: dict[int, int],
) -> tuple[dict[int, int], list[int]]:
    """Return the blob that hides each track without one, and who was no object but a piece of one."""
    hidden: dict[int, int] = {}
    swallowed = []
    share = shared / (ahead[:, 2] * ahead[:, 3])[:, None]
    behind = share.argmax(axis=1)
    for i in np.flatnonzero(share.max(axis=1) >= _COVERED).tolist():
        j = int(behind[i])
        if i in owners or j not in of_blob:
            continue
        owner = of_blob[j]
        if not paths[i].number or _are_one(paths[i], paths[owner]):
            if i < owner and paths[i].number:  # the older one keeps its number
                owners[i], of_blob[j] = j, i
                i = owner
                del owners[i]
            swallowed.append(i)
        else:
            hidden[i] = j
    return hidden, swallowed


def _are_one(a: UnderWay, b: UnderWay) -> bool:
    """Whether two that become one blob are pieces of one: new, and without having come towards each other."""
    apart = math.dist(a.velocity, b.velocity)
    return min(a.age, b.age) < _NEW and apart * _NEW < max(*a.size, *b.size)


def _joined(blobs: Sequence[Blob]) -> Link:
    """Return blobs as one."""
    if len(blobs) == 1:
        return Link(blobs[0].box, blobs[0].area, blobs[0].center)
    left, top = min(b.box[0] for b in blobs), min(b.box[1] for b in blobs)
    right, bottom = max(b.box[0] + b.box[2] for b in blobs), max(b.box[1] + b.box[3] for b in blobs)
    area = sum(b.area for b in blobs)
    x, y = (sum(b.area * b.center[axis] for b in blobs) / area for axis in (0, 1))
    return Link((left, top, right - left, bottom - top), area, (x, y), len(blobs))


def _parted(ahead: np.ndarray, blob: Link, areas: Sequence[float]) -> list[Link]:
    """Return objects that share a blob, its keeper first: of their own sizes, where they should be, and all of it.

    The outermost reach to the blob's edges: who stops beside another one is told so from who passes.
    """
    begins, sizes = np.empty((len(ahead), 2)), np.empty((len(ahead), 2))
    for axis in (0, 1):
        begin, size = blob.box[axis], blob.box[axis + 2]
        sizes[:, axis] = np.clip(np.rint(ahead[:, axis + 2]), 1, size)
        most = begin + size - sizes[:, axis]
        begins[:, axis] = np.clip(np.rint(ahead[:, axis]), begin, most)
        first, last = int(np.argmin(begins[:, axis])), int(np.argmax(begins[:, axis] + sizes[:, axis]))
        if first != last:
            begins[first, axis], begins[last, axis] = begin, most[last]
    parts = []
    for i, area in enumerate(areas):
        (left, top), (width, height) = (list(map(int, row[i])) for row in (begins, sizes))
        center = left + (width - 1) / 2, top + (height - 1) / 2
        parts.append(Link((left, top, width, height), min(area, blob.area), center, 1, True, i == 0))
    return parts
