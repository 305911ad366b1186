"""Which frames of a source are delivered, and at what size."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Self

import numpy as np

from bgsub.errors import ParameterError, SourceError
from bgsub.video.frame import VideoInfo

# Far below any frame period, far above the rounding of sums: end = 0.1 + 0.2 must exclude a frame at 0.3.
_TOLERANCE = 1e-6
_LARGEST_FACTOR = 64


@dataclass(frozen=True, slots=True)
class Selection:
    """A choice of frames by time and index, and the size they are delivered in.

    Attributes
    ----------
    start : float
        First time, in seconds from the source's first frame.
    end : float
        First time no longer delivered; infinite without one.
    every : int
        Frames are delivered where the index is a multiple of this.
    enough : float
        Frames per second: of a source with twice as many only every second is delivered, and so on. 0: all.
    scale : float or None
        At most 1: factor on both sides. Above 1: greatest width in pixels. None: as it is.
    luma : bool
        Pictures are delivered as their brightness alone.
    shrink : int
        Up to 64: pixels of the source along the side of a delivered one. Above: greatest width in pixels, which the
        least power of two that is enough brings it to. Rows and columns at the right and the lower edge that do not
        fill a pixel are cut off.
    threads : int or None
        Most threads that decode.
    """

    start: float = 0.0
    end: float = math.inf
    every: int = 1
    scale: float | None = None
    luma: bool = False
    shrink: int = 1
    threads: int | None = None
    enough: float = 0.0

    @classmethod
    def checked(
        cls,
        *,
        start: float | None = None,
        end: float | None = None,
        duration: float | None = None,
        every: int = 1,
        scale: float | None = None,
        luma: bool = False,
        shrink: int = 1,
        threads: int | None = None,
        enough: float = 0.0,
    ) -> Self:
        """Build a selection from a caller's parameters; `ParameterError` where one is out of bounds."""
        first = 0.0 if start is None else float(start)
        if not (math.isfinite(first) and first >= 0):
            raise ParameterError(f"start={start} is out of bounds; give seconds from 0")
        if end is not None and duration is not None:
            raise ParameterError(f"end={end} and duration={duration} exclude each other; give one of them")
        if duration is not None and not duration > 0:
            raise ParameterError(f"duration={duration} is out of bounds; give seconds above 0")
        last = math.inf if end is None else float(end)
        if duration is not None:
            last = first + float(duration)
        if not last > first:
            raise ParameterError(f"end={end} is out of bounds; give seconds above start={first:g}")
        if int(every) != every or every < 1:
            raise ParameterError(f"every={every} is out of bounds; give a whole number from 1")
        if scale is not None:
            whole = float(scale).is_integer()
            if not (math.isfinite(scale) and scale > 0 and (scale <= 1 or whole)):
                raise ParameterError(f"scale={scale} is out of bounds; give a factor up to 1 or a width in pixels")
        if int(shrink) != shrink or shrink < 1:
            raise ParameterError(f"shrink={shrink} is out of bounds; give a whole factor from 1, or a width in pixels")
        if scale is not None and shrink != 1:
            raise ParameterError(f"scale={scale} and shrink={shrink} exclude each other; give one of them")
        if threads is not None and (int(threads) != threads or threads < 1):
            raise ParameterError(f"threads={threads} is out of bounds; give a whole number from 1")
        if not (math.isfinite(enough) and enough >= 0):
            raise ParameterError(f"enough={enough} is out of bounds; give frames per second, or 0 for all")
        if enough and every > 1:
            raise ParameterError(f"every={every} and enough={enough:g} exclude each other; give one of them")
        return cls(first, last, int(every), scale, bool(luma), int(shrink), threads, float(enough))

    def wants(self, index: int, time: float) -> bool:
        """Say whether the frame of this index (from 0) and time (in seconds) is delivered."""
        return index % self.every == 0 and time >= self.start - _TOLERANCE and not self.over(time)

    def over(self, time: float) -> bool:
        """Say whether a time lies at or after the end, so that nothing more will be wanted."""
        return time >= self.end - _TOLERANCE

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Return width and height of delivered images, in pixels, from those of the source."""
        if self.scale is None:
            whole = self.factor(width, height)
            return width // whole, height // whole
        factor = self.scale if self.scale <= 1 else min(1.0, self.scale / width)
        return max(1, round(width * factor)), max(1, round(height * factor))

    def factor(self, width: int, height: int) -> int:
        """Return how many pixels of a source lie along the side of one delivered, from the source's width and height.

        It is never more than either.
        """
        factor = self.shrink
        if factor > _LARGEST_FACTOR:
            factor = 1 << max(0, math.ceil(math.log2(width / self.shrink)))
        return max(1, min(factor, width, height))

    def thinned(self, fps: Fraction | float | None) -> Self:
        """Return what is delivered of a source with so many frames per second, where fewer are enough."""
        if not self.enough or not fps:
            return self
        return replace(self, every=max(1, int(fps / self.enough)), enough=0.0)

    def whole_part(self, start: float) -> Self:
        """Return what is wanted of a part of what this chooses from, from a time on: all, in the size of delivery."""
        return replace(self, start=start, end=math.inf, every=1, scale=None, enough=0.0)

    def shrunk(self, image: np.ndarray) -> np.ndarray:
        """Return the image, each pixel the mean of a square of the source's."""
        height, width = image.shape[:2]
        factor = self.factor(width, height)
        if factor == 1:
            return image
        import cv2

        small = (width // factor, height // factor)
        whole = image[: small[1] * factor, : small[0] * factor]
        while factor % 2 == 0:  # halves are OpenCV's fast way: a quarter of what four at once take
            factor //= 2
            size = (small[0] * factor, small[1] * factor)
            whole = cv2.resize(whole, size, interpolation=cv2.INTER_AREA)
        return whole if factor == 1 else cv2.resize(whole, small, interpolation=cv2.INTER_AREA)

    def resize(self, image: np.ndarray) -> np.ndarray:
        """Return the image in the size of delivery, each pixel the mean of the area it covers; grey if wanted so."""
        image = self.shrunk(image)
        if self.luma and image.ndim == 3:
            import cv2

            image = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        if self.scale is None:
            return image
        height, width = image.shape[:2]
        size = self.size(width, height)
        if size == (width, height):
            return image
        import cv2

        return cv2.resize(image, size, interpolation=cv2.INTER_AREA)

    def narrowed(self, info: VideoInfo, *, uniform: bool) -> VideoInfo:
        """Return what is known of a source, changed to what will be delivered of it.

        Parameters
        ----------
        info : VideoInfo
            Of the whole source.
        uniform : bool
            Frame k is known to stand at time k / fps, so that frames between two times can be counted.
        """
        width, height = self.size(info.width, info.height)
        count = info.frame_count
        if count is not None and self.start == 0 and math.isinf(self.end):
            count = -(-count // self.every)
        elif count is not None:
            count = self._count(count, float(info.fps)) if uniform and info.fps else None
        duration = info.duration
        if duration is not None:
            duration = max(0.0, min(self.end, duration) - self.start)
        fps = info.fps / self.every if info.fps else None
        before = (info.width, info.height)
        return replace(
            info,
            width=width,
            height=height,
            source_size=None if before == (width, height) else before,
            frame_count=count,
            duration=duration,
            fps=fps,
        )

    def _count(self, count: int, fps: float) -> int:
        """Count the frames k / fps of `count` that are wanted."""
        first = max(0, math.ceil((self.start - _TOLERANCE) * fps))
        stop = count if math.isinf(self.end) else min(count, math.ceil((self.end - _TOLERANCE) * fps))
        return max(0, -(-stop // self.every) - -(-first // self.every))

    def nothing_in(self, name: str, last: float) -> SourceError:
        """Return the error for a source that ended before any frame was wanted."""
        return SourceError(
            f"no frame of {name} was selected: its last frame is at {last:.3f} s and start={self.start:g} s, "
            f"every={self.every}; choose an earlier start"
        )
