"""The codecs that are written, each with settings that were measured for what it is used for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bgsub.formats import QUALITY


@dataclass(frozen=True, slots=True)
class Encoding:
    """A codec with its settings.

    Attributes
    ----------
    codec : str
        FFmpeg's name of the encoder.
    pix_fmt : str
        FFmpeg's name of the pixel format; the planes given to `VideoFile.write` are in it.
    lossy : bool
        Whether pixels come back changed.
    full_range : bool or None
        Whether luma spans 0-255 rather than 16-235; None for formats where the question does not arise.
    options : mapping
        The encoder's options.
    looks_ahead : bool
        Whether the encoder may hold a few frames back, to see what stays as it is.
    """

    codec: str
    pix_fmt: str
    lossy: bool
    full_range: bool | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    looks_ahead: bool = False

    @property
    def even(self) -> bool:
        """Whether width and height must be even."""
        return "420" in self.pix_fmt


# Golomb-Rice coding with the small context is the fastest FFV1; slices let threads share a frame, and
# checksums (nearly free) tell damage from content.
_FFV1 = {"level": "3", "coder": "rice", "context": "0", "slices": "4", "slicecrc": "1"}
# A picture of one row cannot be cut into slices, and one of one column only be written in the format's first version.
FFV1_OF_A_LINE = {"level": "1", "slices": "0", "slicecrc": "-1"}
# No B-frames, so that times need no mending. Key frames are forced by time instead of counted.
_X264 = {"preset": "veryfast", "bf": "0", "forced-idr": "1", "g": "100000", "sc_threshold": "0"}
_X264_MASK = _X264 | {"crf": "20", "tune": "zerolatency"}
_VP9 = {
    "deadline": "realtime",
    "cpu-used": "8",
    "row-mt": "1",
    "lag-in-frames": "0",
    "auto-alt-ref": "0",
    "b": "0",
    "g": "100000",
}

FFV1_GRAY = Encoding("ffv1", "gray", lossy=False, options=_FFV1)
FFV1_BGR = Encoding("ffv1", "bgr0", lossy=False, options=_FFV1)
FFV1_BGRA = Encoding("ffv1", "bgra", lossy=False, options=_FFV1)
# Quantiser 0 makes H.264 lossless; with every frame a key frame x264 takes about half of FFV1's time for masks.
H264_GRAY = Encoding(
    "libx264",
    "gray",
    lossy=False,
    full_range=True,
    options={
        "preset": "ultrafast",
        "qp": "0",
        "tune": "zerolatency",
        "g": "1",
        "x264-params": "fullrange=on",
    },
)
H264 = Encoding("libx264", "yuv420p", lossy=True, full_range=False, options=_X264_MASK)
VP9 = Encoding("libvpx-vp9", "yuv420p", lossy=True, full_range=False, options=_VP9 | {"crf": "30"})


def h264_picture(quality: int = QUALITY) -> Encoding:
    """Return H.264 for pictures; 75 cannot be told from the source, 30 is small."""
    options = _X264 | {"crf": f"{50 - 0.4 * quality:.1f}"}
    # The next frames tell what stays as it is, most of a fixed camera's picture: a fifth less for the same looks.
    return Encoding("libx264", "yuv420p", lossy=True, full_range=False, options=options, looks_ahead=True)


def vp9_picture(quality: int = QUALITY, *, alpha: bool = False) -> Encoding:
    """Return VP9 for pictures, with transparency or without."""
    options = _VP9 | {"crf": str(round(63 - 0.55 * quality))}
    return Encoding("libvpx-vp9", "yuva420p" if alpha else "yuv420p", lossy=True, full_range=False, options=options)
