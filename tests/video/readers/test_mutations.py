"""Damaged videos of every kind end in frames or in one line, never in anything else."""

from __future__ import annotations

import logging
import random
import struct
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from bgsub.errors import SourceError
from bgsub.video.opening import open_source
from tests.video.clips import pictures, smooth_pictures, write_clip
from tests.video.readers.test_pages import grey, webp_piece, write_apng, write_tiff, write_webp

EACH = 40


def clip(codec: str, pix_fmt: str = "yuv420p", **options: object) -> Callable[[Path], Path]:
    return lambda path: write_clip(path, smooth_pictures(6), codec=codec, pix_fmt=pix_fmt, **options)  # type: ignore[arg-type]


def fragments(path: Path) -> Path:
    with av.open(str(path), "w", container_options={"movflags": "frag_keyframe+empty_moov"}) as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.codec_context.gop_size = 32, 24, "yuv420p", 2
        for image in smooth_pictures(6):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode())
    return path


def animation(path: Path) -> Path:
    return write_webp(path, *(webp_piece(image, 0, 0, 40) for image in pictures(4)))


KINDS: dict[str, Callable[[Path], Path]] = {
    "a.ts": clip("mpeg2video", options={"bf": "0"}),
    "a.mpg": clip("mpeg2video", options={"bf": "0"}),
    "a.avi": clip("mpeg4"),
    "b.avi": clip("mjpeg", "yuvj420p"),
    "a.mkv": clip("ffv1", "bgr0"),
    "a.mp4": clip("mpeg4"),
    "b.mp4": fragments,
    "a.gif": clip("gif", "rgb8"),
    "a.y4m": clip("wrapped_avframe", container_format="yuv4mpegpipe"),
    "a.webp": animation,
    "a.png": lambda path: write_apng(path, pictures(4), [40] * 4),
    "a.tif": lambda path: write_tiff(path, grey(4)),
}


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Change some bytes, most of them in the head; or leave some out, or put some in twice, or cut the end off."""
    changed = bytearray(data)
    way = rng.random()
    if way < 0.6:
        for _ in range(rng.choice([1, 2, 4, 16])):
            place = rng.randrange(min(len(changed), 800) if rng.random() < 0.6 else len(changed))
            changed[place] = rng.choice([0, 127, 128, 255, rng.randrange(256)])
    elif way < 0.75:
        del changed[rng.randrange(1, len(changed)) :]
    elif way < 0.9:
        place = rng.randrange(len(changed))
        del changed[place : place + rng.choice([1, 4, 188])]
    else:
        place, other = rng.randrange(len(changed)), rng.randrange(len(changed))
        changed[place:place] = changed[other : other + rng.choice([4, 16, 188])]
    return bytes(changed)


@pytest.mark.parametrize("name", KINDS)
def test_mutated_files_end_in_frames_or_one_line(tmp_path: Path, name: str) -> None:
    if name == "a.mpg" and int(av.__version__.split(".")[0]) < 18:
        pytest.skip("the FFmpeg of PyAV 17 crashes in opening some of these")
    data = KINDS[name](tmp_path / name).read_bytes()
    rng = random.Random(name)
    logging.getLogger("libav").setLevel(logging.CRITICAL)
    came = refused = 0
    for _ in range(EACH):
        path = tmp_path / f"x{Path(name).suffix}"
        path.write_bytes(mutated(data, rng))
        try:
            with open_source(path, prefetch=0) as source:
                source.describe()
                for _ in source:
                    came += 1
        except SourceError as error:
            refused += 1
            assert "\n" not in str(error)
    assert came > EACH // 4  # most damage is survived


def test_a_header_of_a_huge_animation_takes_no_memory(tmp_path: Path) -> None:
    for sides in (1 << 24, 1 << 20):
        with pytest.raises(SourceError, match="more than the"):
            open_source(
                write_webp(tmp_path / "a.webp", webp_piece(pictures(1)[0], 0, 0, 40), width=sides, height=sides)
            )
    path = write_tiff(tmp_path / "a.tif", grey(2))
    data = bytearray(path.read_bytes())
    for tag in (256, 257):
        head = struct.pack("<HHI", tag, 3, 1)
        place = 0
        while (place := data.find(head, place)) >= 0:
            struct.pack_into("<H", data, place + 8, 65535)
            place += 8
    path.write_bytes(data)
    with pytest.raises(SourceError, match="65535x65535 pixels, more than the"):
        open_source(path)
