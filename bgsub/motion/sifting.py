"""From blobs to what moves: without noise that does not last, light, and what stands still.

A blob goes on as those of the frame before that it overlaps. It counts when it has been there steadily, while something
stirs where it is, and, if the light of the scene was changing as it came, only from when it has moved.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from bgsub.motion.blobs import Blob, Box
from bgsub.motion.lights import LightMeter
from bgsub.motion.observing import TOLD_LATE, Observation
from bgsub.motion.stirring import Stirring, small_picture

_STEADY = (
    0.75  # share of the last moment for which a blob is there: ripples, rain, and a camera that shakes come and go
)
_MOMENT, _MOMENT_OF_MUCH = 0.2, 0.15  # seconds: who stays has been there steadily after .28 s and .21 s
_MUCH = 0.03  # of what is looked at: a car that crosses a gate is gone in less than half a second
_YOUNG, _YOUNG_MOMENT = 1.5, 0.4  # seconds in which a model does not know ripples and branches yet, and its moment
_FORGOTTEN = 0.3  # seconds for which a blob may be missing
_LONGEST_STEP = 10.0  # seconds between frames beyond which all is new
_STILL = 1.0  # seconds without stirring after which a blob stands still
_SAME = 0.7  # share that two boxes have in common if nothing has moved
_BURSTS = 4.0  # times its area: in another light a blob that becomes so large is mostly light
_SIDE = 2  # pixels of the source from the side of the picture
_LARGE = 0.05  # of the picture: what grows so large within a moment is no object that comes in
_MOST = 64  # blobs of a frame that are looked at, the largest: rain and snow have more


class Lasting(NamedTuple):
    """A blob with its past.

    Attributes
    ----------
    blob : Blob
        As the frame shows it.
    time : float
        Of that frame, in seconds.
    first, since : int, float
        Number and time of the frame in which it was first seen.
    stirred : float
        Time at which something last changed in it; that of its first frame for a blob that came in steady light.
    lit : bool
        It came when the light of the scene was changing, and it has not moved since.
    origin : (int, int, int, int)
        Its box in its first frame; if it is lit, since the light has settled.
    presence : float
        Running share of the time for which it has been there, 0 to 1.
    """

    blob: Blob
    time: float
    first: int
    since: float
    stirred: float
    lit: bool
    origin: Box
    presence: float

    @property
    def counts(self) -> bool:
        """Whether it is motion."""
        return not self.lit and self.presence >= _STEADY and self.time - self.stirred <= _STILL

    @property
    def stands(self) -> bool:
        """Whether it is there, and nothing moves in it any more."""
        return not self.lit and self.time - self.stirred > _STILL


class Moving(NamedTuple):
    """What moves in a frame.

    Attributes
    ----------
    blobs : tuple of Blob
        The largest first.
    first, since : int or None, float or None
        Number and time of the frame in which the oldest of those was first seen that are new: noise cannot be told from
        motion before it has been there for a while. None where all counted before.
    came : tuple of Box
        Where the new ones were then.
    light : bool
        The light of the scene is changing.
    objects : tuple of Blob
        What is no light, whether it has lasted or moves or not: what tracks are made of.
    standing : tuple of Lasting
        What has come, and stands still.
    """

    blobs: tuple[Blob, ...]
    first: int | None
    since: float | None
    came: tuple[Box, ...]
    light: bool
    objects: tuple[Blob, ...]
    standing: tuple[Lasting, ...]

    def observation(self, frame: int, time: float, region: float, zones: tuple[str, ...] = ()) -> Observation:
        """Return it as what a frame shows, of a region of so many pixels of the source."""
        share = min(1.0, sum(blob.area for blob in self.blobs) / region)
        is_light = self.light and not self.blobs
        return Observation(frame, time, self.blobs, share, is_light, zones, self.first, self.since, self.came)


class Sieve:
    """Keeps what moves of the blobs of one frame after another: a pure function of times, blobs and pictures.

    Parameters
    ----------
    white : float
        The brightest grey level of the pictures.
    region : float, optional
        Pixels of the source that are looked at; without, the whole picture.
    """

    def __init__(self, white: float = 255.0, region: float | None = None) -> None:
        self._white, self._region = white, region
        self._light, self._stirring = LightMeter(), Stirring()
        self._past: list[Lasting] = []
        self._began, self._time, self._was_light = math.inf, -math.inf, False

    def update(self, frame: int, time: float, blobs: Sequence[Blob], luma: np.ndarray, factor: int = 1) -> Moving:
        """Take the blobs of a frame.

        Parameters
        ----------
        frame, time : int, float
            Its number, and its time in seconds.
        blobs : sequence of Blob
            The largest first.
        luma : ndarray, shape (H, W)
            The frame, grey.
        factor : int
            Pixels of the source along the side of a pixel of `luma`.
        """
        if luma.dtype != np.uint8:
            luma = cv2.convertScaleAbs(luma, alpha=255 / self._white)
        small, size = small_picture(luma), (luma.shape[1] * factor, luma.shape[0] * factor)
        light = self._light.update(time, small)
        self._stirring.update(time, small, size)
        self._began = min(self._began, time)
        step = time - max(self._time, self._began)
        kept = max(_FORGOTTEN, min(1.5 * step, _LONGEST_STEP))
        self._time = time
        past = [old for old in self._past if time - old.time <= kept]
        if self._was_light and not light:  # patches of light have grown until now
            past = [old._replace(origin=old.blob.box) if old.lit else old for old in past]
        self._was_light = light
        much = _MUCH * (self._region or size[0] * size[1])
        moment = _Moment(frame, time, light, step, time - self._began < _YOUNG, much, size)
        blobs, now, continued = blobs[:_MOST], [], set()
        for blob, parents in zip(blobs, _parents(blobs, past), strict=True):
            now.append(_next(blob, moment, [past[i] for i in parents], self._stirring.stirs(blob, light)))
            continued.update(parents)
        self._past = now + [old for i, old in enumerate(past) if i not in continued]
        counting = [new for new in now if new.counts]
        fresh = [new for new in counting if time - new.since <= TOLD_LATE]
        first = min(fresh, key=lambda new: new.since, default=None)
        return Moving(
            tuple(new.blob for new in counting),
            None if first is None else first.first,
            None if first is None else first.since,
            tuple(new.origin for new in fresh),
            light,
            tuple(new.blob for new in now if not new.lit),
            tuple(new for new in now if new.stands),
        )


class _Moment(NamedTuple):
    """A frame's number and time, whether its light changes, seconds since the last one, whether the model is young.

    And how many pixels are much, and width and height of the picture.
    """

    frame: int
    time: float
    light: bool
    step: float
    young: bool
    much: float
    size: tuple[int, int]


def _next(blob: Blob, moment: _Moment, parents: list[Lasting], stirs: bool) -> Lasting:
    """Return a blob with the past of those that it goes on from."""
    frame, time, light = moment[:3]
    presence = _presence(blob, moment, parents)
    if not parents:
        return Lasting(blob, time, frame, time, time, light, blob.box, presence)
    oldest = parents[0] if len(parents) == 1 else min(parents, key=lambda old: (old.lit, old.since))
    before = sum([old.blob.area for old in parents if not old.lit])
    lit = oldest.lit or (light and blob.area > _BURSTS * before)
    if lit and stirs and _has_moved(oldest.origin, blob.box, moment.size, or_grown=not light):
        is_new = time - oldest.since <= TOLD_LATE
        first, since = (oldest.first, oldest.since) if is_new else (frame, time)
        return Lasting(blob, time, first, since, time, False, blob.box, presence)
    stirred = time if stirs else max([old.stirred for old in parents])
    return Lasting(blob, time, oldest.first, oldest.since, stirred, lit, oldest.origin, presence)


def _presence(blob: Blob, moment: _Moment, parents: list[Lasting]) -> float:
    """Return the share of the last moment for which a blob was there, the later the more; it has been for a step."""
    if moment.step > _FORGOTTEN:  # of a frame a second nothing can last, nor overlap itself: each is believed
        return 1.0
    length = _MOMENT_OF_MUCH if blob.area >= moment.much else _YOUNG_MOMENT if moment.young else _MOMENT
    before = [old.presence * math.exp((old.time - moment.time) / length) for old in parents]
    return max(before, default=0.0) + 1 - math.exp(-moment.step / length)


def _has_moved(a: Box, b: Box, size: tuple[int, int], or_grown: bool) -> bool:
    """Return whether something has moved from box a to b, in a picture of a size.

    Neither holds the most of the other, or, if that counts, one is much larger; or it has come in at a side.
    """
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    both = max(width, 0) * max(height, 0)
    one, other = a[2] * a[3], b[2] * b[3]
    at_side = a[0] <= _SIDE or a[1] <= _SIDE or a[0] + a[2] >= size[0] - _SIDE or a[1] + a[3] >= size[1] - _SIDE
    if at_side and other >= _BURSTS * one and other <= _LARGE * size[0] * size[1]:
        return True
    return both < _SAME * (one + other - both if or_grown else min(one, other))


def _parents(blobs: Sequence[Blob], past: Sequence[Lasting]) -> list[list[int]]:
    """Return of each blob the places of those of the past that it overlaps, a small way between them allowed."""
    old = [(i, *_corners(lasting.blob.box)) for i, lasting in enumerate(past)]
    parents = []
    for blob in blobs:
        left, top, right, bottom = _corners(blob.box)
        parents.append([i for i, x, y, to_x, to_y in old if x < right and to_x > left and y < bottom and to_y > top])
    return parents


def _corners(box: Box) -> tuple[float, float, float, float]:
    """Return left, top, right and lower ends, widened by a quarter of the longer side."""
    x, y, width, height = box
    reach = (width if width > height else height) / 4
    return x - reach, y - reach, x + width + reach, y + height + reach
