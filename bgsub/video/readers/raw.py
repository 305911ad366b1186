"""Pictures without a header (.yuv): their size and pixel format have to be told."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from bgsub.errors import ParameterError
from bgsub.video.frame import MAX_PIXELS

# Extensions of such files, and the pixel format that each means unless told.
FORMATS = {
    ".420p": "yuv420p",
    ".422p": "yuv422p",
    ".444p": "yuv444p",
    ".bgr": "bgr24",
    ".gray": "gray",
    ".grey": "gray",
    ".i420": "yuv420p",
    ".nv12": "nv12",
    ".nv21": "nv21",
    ".raw": "yuv420p",
    ".rgb": "rgb24",
    ".uyvy": "uyvy422",
    ".y8": "gray",
    ".yuv": "yuv420p",
    ".yuv420p": "yuv420p",
    ".yuy2": "yuyv422",
    ".yuyv": "yuyv422",
}
_SIZE = re.compile(r"(?<!\d)(\d{1,6})[x×](\d{1,6})(?!\d)")


@dataclass(frozen=True, slots=True)
class RawPictures:
    """How pictures without a header are read.

    Attributes
    ----------
    width, height : int
        In pixels.
    pixel_format : str or None
        FFmpeg's name of it; None is that of the file's extension, or yuv420p.
    """

    width: int
    height: int
    pixel_format: str | None = None

    @classmethod
    def checked(cls, size: str | tuple[int, int] | None, pixel_format: str | None) -> RawPictures | None:
        """Build from a caller's parameters; None where there is none, `ParameterError` where one is no good."""
        if size is None:
            if pixel_format is not None:
                raise ParameterError(f"pixel_format={pixel_format} is for pictures without a header: give size too")
            return None
        found = _SIZE.fullmatch(size.strip().lower()) if isinstance(size, str) else None
        try:
            width, height = (int(found[1]), int(found[2])) if found else (int(side) for side in size)
        except (ValueError, TypeError):
            raise ParameterError(f"size={size} is no size: give width and height in pixels, as 640x480") from None
        if not (width > 0 and height > 0 and width * height <= MAX_PIXELS):
            raise ParameterError(
                f"size={size} is out of bounds; give sides above 0, together up to {MAX_PIXELS} pixels"
            )
        if pixel_format is not None:
            try:
                av.VideoFormat(pixel_format)
            except ValueError:
                raise ParameterError(
                    f"pixel_format={pixel_format} is unknown; give one that `ffmpeg -pix_fmts` lists, such as "
                    "yuv420p, nv12, yuyv422, gray, gray16le, rgb24"
                ) from None
        return cls(width, height, pixel_format)

    def options(self, location: str, rate: Fraction | None) -> dict[str, str]:
        """Return FFmpeg's options for them."""
        return {
            "video_size": f"{self.width}x{self.height}",
            "pixel_format": self.pixel_format or FORMATS.get(Path(location).suffix.lower(), "yuv420p"),
            "framerate": str(rate or 25),
        }


def advice(location: str) -> str | None:
    """Return what to do with a file that has no header; None where its name says nothing of that kind."""
    if Path(location).suffix.lower() not in FORMATS:
        return None
    size = _SIZE.search(Path(location).stem)
    example = f"{size[1]}x{size[2]}, as its name says" if size else "640x480"
    return (
        f"it has no header: give the size of its pictures (--size {example}), and --pixel-format and --fps "
        "where they are not yuv420p and 25"
    )
