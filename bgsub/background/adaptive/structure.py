"""Is it an object, the background in another light, or the place of an object that has gone? Structure tells.

A lamp that is switched on, a headlight or a cast shadow changes the brightness of a surface and keeps its edges and
texture; an object covers them with its own. And an object ends in an edge: where the learned background has one and the
picture has none, it was the background that held an object.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from bgsub.background.adaptive.engine import Likeness, Objects

_REVIEW = 8  # cost: frames between two looks at an object that stays where it was
_FAINT = 1.5  # chosen: grey levels: below it, structure is noise

OBJECT, LIGHT, LEFT = "object", "light", "left"


class Bounds(NamedTuple):
    """Where the verdicts part.

    Attributes
    ----------
    structure : float
        `correlation` from which something is light on the background; 1 or more for never.
    ghost_ratio, ghost_edges : float
        See `is_ghost`; a ratio of 0 for never.
    """

    structure: float
    ghost_ratio: float
    ghost_edges: float


def verdicts_of(
    objects: Objects,
    likeness: Callable[[Sequence[int]], Sequence[Likeness]],
    parameters: Mapping[str, Any],
    n_frames: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return which objects are some and no mere change of light, and which are ghosts of objects that have gone.

    Small ones are not asked, and one that stands where objects were, by more than half of its area, is looked at again
    now and then only.

    Parameters
    ----------
    objects : Objects
        What was found in a frame.
    likeness : callable
        Compares the objects of some rows with the background.
    parameters : mapping
        Of the model: `structure_area`, `structure`, `ghost_ratio`, `ghost_edges`.
    n_frames : int
        Frames learned before this one.

    Returns
    -------
    kept, ghosts : ndarray of bool, shape (N,)
    """
    p = parameters
    asked = objects.area >= p["structure_area"]
    if n_frames % _REVIEW:
        asked &= 2 * objects.held <= objects.area
    bounds = Bounds(p["structure"], p["ghost_ratio"], p["ghost_edges"])
    kept, ghosts = np.ones(len(asked), bool), np.zeros(len(asked), bool)
    rows = asked.nonzero()[0].tolist()
    for row, found in zip(rows, likeness(rows), strict=True):
        verdict = judge(found, bounds)
        kept[row], ghosts[row] = verdict == OBJECT, verdict == LEFT
    return kept, ghosts


def judge(found: Likeness, bounds: Bounds) -> str:
    """Return OBJECT, LIGHT (the background in another light) or LEFT (an object that was learned has gone)."""
    if bounds.ghost_ratio > 0 and is_ghost(found, bounds.ghost_ratio, bounds.ghost_edges):
        return LEFT
    if bounds.structure < 1 and correlation(found) >= bounds.structure:
        return LIGHT
    return OBJECT


def correlation(found: Likeness) -> float:
    """Return how far an object's place has the fine structure of the background, -1 to 1.

    The normalised cross-correlation of frame and background, each less its local mean. Light and shadow leave it near
    1, objects have it near 0; it is 0 where the background has too little structure to tell.
    """
    if found.learned_energy < _FAINT**2 * found.n_pixels:
        return 0.0
    return found.product / float(np.sqrt(found.learned_energy * found.seen_energy + 1e-6))


def is_ghost(found: Likeness, ratio: float, least: float) -> bool:
    """Return whether what differs is ground that an object, learned as background, has left.

    Parameters
    ----------
    found : Likeness
        Of its place.
    ratio : float
        Of the mean gradients along the outline: those seen must be below this times those learned.
    least : float
        Mean gradient, in grey levels a pixel, that the background must have there.
    """
    return found.learned_edges > least and found.seen_edges < ratio * found.learned_edges
