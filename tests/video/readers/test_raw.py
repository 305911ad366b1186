"""Pictures without a header: read with their size told, and a message that asks for it."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from bgsub.errors import ParameterError, SourceError
from bgsub.video.opening import open_source, probe
from tests.video.clips import pictures, smooth_pictures, write_clip

WIDTH, HEIGHT = 32, 24


def write_raw(path: Path, pixel_format: str, count: int = 5) -> list[np.ndarray]:
    """Write pictures without a header; return what they are in BGR or grey."""
    shown = []
    with path.open("wb") as file:
        for image in smooth_pictures(count):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24").reformat(format=pixel_format)
            if pixel_format.startswith("gray1"):
                array = frame.to_ndarray()
                file.write(array.astype(">u2" if pixel_format.endswith("be") else "<u2").tobytes())
                shown.append(array)
                continue
            array = frame.to_ndarray()
            file.write(array.tobytes())
            shown.append(frame.to_ndarray(format="gray" if pixel_format == "gray" else "bgr24"))
    return shown


@pytest.mark.parametrize(
    ("name", "pixel_format", "told"),
    [
        ("a.yuv", "yuv420p", None),
        ("a.raw", "yuv420p", None),
        ("a.nv12", "nv12", None),
        ("a.rgb", "rgb24", None),
        ("a.bgr", "bgr24", None),
        ("a.yuyv", "yuyv422", None),
        ("a.gray", "gray", None),
        ("a.yuv", "yuv444p", "yuv444p"),
        ("a.yuv", "nv12", "nv12"),
        ("camera.bin", "yuv420p", None),
        ("a.raw", "gray16le", "gray16le"),
        ("a.raw", "gray10le", "gray10le"),
        ("a.dat", "gray16be", "gray16be"),
    ],
)
def test_pictures_are_read(tmp_path: Path, name: str, pixel_format: str, told: str | None) -> None:
    shown = write_raw(tmp_path / name, pixel_format)
    with open_source(tmp_path / name, size="32x24", pixel_format=told) as source:
        assert (source.info.width, source.info.height, source.info.fps) == (WIDTH, HEIGHT, 25)
        frames = list(source)
    assert [frame.time for frame in frames] == pytest.approx([index / 25 for index in range(5)])
    for frame, image in zip(frames, shown, strict=True):
        assert frame.image.dtype == image.dtype
        np.testing.assert_allclose(frame.image.astype(int), image, atol=2)


@pytest.mark.parametrize("size", ["32x24", "32X24", " 32x24 ", (32, 24), [32, 24]])
def test_a_size_may_be_written_so(tmp_path: Path, size: object) -> None:
    write_raw(tmp_path / "a.yuv", "yuv420p")
    with open_source(tmp_path / "a.yuv", size=size, fps=10) as source:  # type: ignore[arg-type]
        assert [frame.time for frame in source] == pytest.approx([index / 10 for index in range(5)])
    assert probe(tmp_path / "a.yuv", size=size)["duration"] == pytest.approx(0.2)  # type: ignore[arg-type]


def test_a_late_start(tmp_path: Path) -> None:
    write_raw(tmp_path / "a.yuv", "yuv420p", 50)
    with open_source(tmp_path / "a.yuv", size="32x24", fps=10, start=4.5) as source:
        assert [frame.index for frame in source] == [45, 46, 47, 48, 49]


def test_half_a_picture_at_the_end_is_left_out(tmp_path: Path) -> None:
    write_raw(tmp_path / "a.yuv", "yuv420p")
    data = (tmp_path / "a.yuv").read_bytes()
    (tmp_path / "a.yuv").write_bytes(data[:-100])
    with open_source(tmp_path / "a.yuv", size="32x24") as source:
        assert len(list(source)) == 4


@pytest.mark.parametrize(
    ("size", "pixel_format", "message"),
    [
        ("large", None, "size=large is no size: give width and height in pixels, as 640x480"),
        ((3,), None, r"size=\(3,\) is no size"),
        (7, None, "size=7 is no size"),
        ("0x24", None, "size=0x24 is out of bounds"),
        ("99999x99999", None, "size=99999x99999 is out of bounds"),
        ("32x24", "yuv421p", "pixel_format=yuv421p is unknown; give one that"),
        (None, "nv12", "pixel_format=nv12 is for pictures without a header: give size too"),
    ],
)
def test_what_is_no_size_or_format(tmp_path: Path, size: object, pixel_format: str | None, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        open_source(tmp_path / "a.yuv", size=size, pixel_format=pixel_format)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["a.yuv", "a.nv12", "a.raw", "A.YUV"])
def test_without_a_size_the_message_asks_for_it(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(np.random.default_rng(0).bytes(5000))
    with pytest.raises(SourceError) as caught:
        open_source(tmp_path / name)
    assert str(caught.value) == (
        f"cannot open {tmp_path / name}: it has no header: give the size of its pictures (--size 640x480), and "
        "--pixel-format and --fps where they are not yuv420p and 25"
    )


def test_the_message_reads_the_size_in_the_name(tmp_path: Path) -> None:
    write_raw(tmp_path / "foreman_352x288_30.yuv", "yuv420p")
    with pytest.raises(SourceError, match=r"\(--size 352x288, as its name says\)"):
        open_source(tmp_path / "foreman_352x288_30.yuv")


def test_a_video_with_such_a_name_needs_no_size(tmp_path: Path) -> None:
    write_clip(tmp_path / "a.mkv", pictures(3)).rename(tmp_path / "a.yuv")
    with open_source(tmp_path / "a.yuv") as source:
        assert len(list(source)) == 3


def test_folders_and_cameras_have_no_such_pictures(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    import cv2

    cv2.imwrite(str(tmp_path / "a" / "1.png"), pictures(1)[0])
    with pytest.raises(ParameterError, match=r"size does not fit .*a: it is for pictures without a header"):
        open_source(tmp_path / "a", size="32x24")
