"""Writes a clip and its ground truth: H.264 as a camera does it, and lossless labels."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from bgsub.files import atomic_write

Array = np.ndarray

# One thread and bit-exact headers: the same frames give the same file with the same FFmpeg.
_H264 = {"preset": "slow", "g": "50", "bf": "2", "threads": "1", "x264-params": "open-gop=0"}
_FFV1 = {
    "level": "3",
    "coder": "2",
    "context": "1",
    "g": "1000",
    "slices": "16",
    "slicecrc": "1",
    "threads": "1",
}


def write_clip(
    frames: Iterable[tuple[Array, Array]],
    folder: Path,
    name: str,
    fps: int,
    size: tuple[int, int],
    kilobits: int,
) -> int:
    """Write ``NAME.mp4`` and ``NAME.truth.mkv``; both or neither.

    Parameters
    ----------
    frames : iterable of (ndarray, ndarray)
        BGR picture ``(H, W, 3)`` and labels ``(H, W)``, both uint8.
    folder : Path
        Where to; it must exist.
    name : str
        Stem of both files.
    fps : int
        Frames a second; frame i of both files has the time i / fps.
    size : tuple of int
        Width and height, both even.
    kilobits : int
        Bit rate of the picture in kbit/s.

    Returns
    -------
    int
        Number of frames written.

    Raises
    ------
    OutputError
        When a file cannot be written.
    """
    count = 0
    with (
        atomic_write(folder / f"{name}.mp4") as picture_file,
        atomic_write(folder / f"{name}.truth.mkv") as truth_file,
        av.open(picture_file, "w", format="mp4", options={"fflags": "+bitexact"}) as picture_box,
        av.open(truth_file, "w", format="matroska", options={"fflags": "+bitexact"}) as truth_box,
    ):
        picture_stream = picture_box.add_stream("libx264", rate=fps, options=dict(_H264))
        picture_stream.bit_rate = 1000 * kilobits
        picture_stream.pix_fmt = "yuv420p"
        truth_stream = truth_box.add_stream("ffv1", rate=fps, options=_FFV1)
        truth_stream.pix_fmt = "gray"
        for stream in (picture_stream, truth_stream):
            stream.width, stream.height = size
            stream.codec_context.flags |= av.codec.context.Flags.bitexact
        for picture, truth in frames:
            for box, stream, image, layout in (
                (picture_box, picture_stream, picture, "bgr24"),
                (truth_box, truth_stream, truth, "gray"),
            ):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format=layout)
                frame.pts, frame.time_base = count, Fraction(1, fps)
                box.mux(stream.encode(frame))
            count += 1
        picture_box.mux(picture_stream.encode(None))
        truth_box.mux(truth_stream.encode(None))
    return count
