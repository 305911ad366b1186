"""A file that is looped as a camera: H.264 with key frames each second, and sound."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

RATE, GOP, COUNT, SOUND_RATE = 25, 10, 50, 16_000


def write_camera_file(path: Path, *, sound: str | None = "aac", width: int = 96, height: int = 64) -> Path:
    """Two seconds of pictures, each as bright as its number says, and of a tone."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=RATE, options={"x264-params": "bframes=0", "crf": "18"})
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.codec_context.gop_size = GOP
        audio = container.add_stream(sound, rate=SOUND_RATE if sound == "aac" else 8000) if sound else None
        if audio is not None:
            audio.codec_context.layout = "mono"
        for index in range(COUNT):
            image = np.full((height, width, 3), 40 + 3 * index, np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
            if audio is not None:
                container.mux(audio.encode(_tone(index, audio.rate)))
        container.mux(video.encode())
        if audio is not None:
            container.mux(audio.encode())
    return path


def _tone(index: int, rate: int) -> av.AudioFrame:
    count = rate // RATE
    wave = 8000 * np.sin(2 * np.pi * 440 / rate * np.arange(index * count, (index + 1) * count))
    frame = av.AudioFrame.from_ndarray(wave.astype(np.int16)[None], format="s16", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = rate, index * count, Fraction(1, rate)
    return frame


@pytest.fixture(scope="session")
def camera_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One of these."""
    return write_camera_file(tmp_path_factory.mktemp("camera") / "camera.mp4")
