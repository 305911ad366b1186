"""Tiny clips, written with PyAV: lossless unless said otherwise, every frame different."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

WIDTH, HEIGHT = 32, 24


def pictures(count: int, width: int = WIDTH, height: int = HEIGHT, seed: int = 0) -> list[np.ndarray]:
    """BGR images of noise, whose first pixel counts the frames."""
    rng = np.random.default_rng(seed)
    images = []
    for index in range(count):
        image = rng.integers(0, 256, (height, width, 3), np.uint8)
        image[0, 0] = index % 256
        images.append(image)
    return images


def write_clip(
    path: Path,
    images: Iterable[np.ndarray],
    *,
    codec: str = "ffv1",
    pix_fmt: str = "bgr0",
    rate: int | Fraction = 25,
    pts: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    options: dict[str, str] | None = None,
    container_format: str | None = None,
    gop: int = 12,
    muxer: dict[str, str] | None = None,
) -> Path:
    """Encode images to a clip; `pts` in ticks of `time_base` make its frame rate variable."""
    images = list(images)
    with av.open(str(path), "w", format=container_format, options=muxer or {}) as container:
        stream = container.add_stream(codec, rate=rate, options=options or {})
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = pix_fmt
        stream.codec_context.gop_size = gop
        if time_base is not None:
            stream.time_base = stream.codec_context.time_base = time_base
        for index, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24" if image.ndim == 3 else "gray")
            frame.time_base = time_base or 1 / Fraction(rate)
            frame.pts = index if pts is None else pts[index]
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def smooth_pictures(count: int, width: int = WIDTH, height: int = HEIGHT) -> list[np.ndarray]:
    """Grey slopes that brighten by 4 a frame: lossy codecs keep them apart."""
    slope = np.linspace(0, 60, width).astype(np.uint8)
    return [np.dstack([np.tile(slope + 4 * index, (height, 1))] * 3) for index in range(count)]


def packet_places(path: Path) -> list[tuple[int, int]]:
    """Position and size in the file of each video packet."""
    with av.open(str(path)) as container:
        return [(p.pos, p.size) for p in container.demux(video=0) if p.size and p.pos is not None]


def silence() -> av.AudioFrame:
    """A fifth of a second of silence, mono, 8 kHz."""
    sound = av.AudioFrame.from_ndarray(np.zeros((1, 1600), np.int16), format="s16", layout="mono")
    sound.sample_rate = 8000
    return sound
