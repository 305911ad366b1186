"""Folders and patterns of images."""

from __future__ import annotations

import logging
from pathlib import Path

import cv2
import numpy as np
import pytest

from bgsub.errors import SourceError
from bgsub.video.opening import open_source
from bgsub.video.readers import stills
from tests.video.clips import pictures


def write(folder: Path, names: list[str], images: list[np.ndarray] | None = None) -> list[np.ndarray]:
    folder.mkdir(parents=True, exist_ok=True)
    images = images or pictures(len(names))
    for name, image in zip(names, images, strict=True):
        assert cv2.imwrite(str(folder / name), image)
    return images


def test_images_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    images = write(tmp_path / "walk", ["img8.png", "img9.png", "img10.png", "img100.png"])
    with open_source(tmp_path / "walk") as source:
        info = source.info
        frames = list(source)
    assert (info.name, info.codec, info.fps, info.frame_count) == ("walk", "png", 25, 4)
    assert info.duration == pytest.approx(4 / 25)
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    assert [(frame.number, frame.name) for frame in frames] == [(n, f"img{n}") for n in (8, 9, 10, 100)]
    assert [frame.time for frame in frames] == pytest.approx([0, 0.04, 0.08, 0.12])
    for frame, image in zip(frames, images, strict=True):
        np.testing.assert_array_equal(frame.image, image)


def test_numbers_of_several_cameras_are_not_mixed(tmp_path: Path) -> None:
    names = ["cam1_2.png", "cam1_10.png", "cam2_1.png", "cam10_1.png"]
    images = write(tmp_path, names)
    with open_source(tmp_path) as source:
        for frame, image in zip(source, images, strict=True):
            np.testing.assert_array_equal(frame.image, image)


def test_cdnet_sequence(tmp_path: Path) -> None:
    """The pictures beside the folder input show the region of interest, not the video."""
    folder = tmp_path / "highway"
    images = write(folder / "input", ["in000470.png", "in000471.png"])
    write(folder, ["ROI.bmp", "ROI.png"], [np.full((9, 9, 3), 255, np.uint8)] * 2)
    write(folder / "groundtruth", ["gt000470.png"], [np.zeros((24, 32, 3), np.uint8)])
    for path in (folder, folder / "input"):
        with open_source(path) as source:
            assert source.info.name == "highway"
            for number, frame, image in zip((470, 471), source, images, strict=True):
                assert frame.number == number
                np.testing.assert_array_equal(frame.image, image)


@pytest.mark.parametrize(
    ("files", "asked", "numbers"),
    [
        (["in000001.png", "in000003.png", "in000050.png"], "", [1, 3, 50]),
        (["7.png", "8.bmp"], "", [7, 8]),
        (["shot4b.png", "shot12b.png"], "", [4, 12]),
        (["2024-05-01_12-05-00.png", "2024-05-01_12-05-01.png"], "", None),
        (["cam1_2.png", "cam2_1.png"], "", None),
        (["left1.png", "right2.png"], "", None),
        (["in1.png", "in01.png"], "", None),  # one number twice
        (["door.png", "yard.png"], "", None),
        (["in1.png", "title.png"], "", None),
        (["a1111111111111111111.png", "a1111111111111111112.png"], "", None),  # beyond any number of a frame
        (["cam2_01.png", "cam2_07.png", "cam3_01.png"], "cam2_%02d.png", [1, 7]),
        (["2024_1.png", "2024_2.png"], "*.png", None),
        (["in4.png", "in9.png", "x.png"], "in*.png", [4, 9]),
        (["in0009.png"], "in0009.png", [9]),
        (["photo.png"], "photo.png", None),
    ],
)
def test_numbers_of_images_only_where_they_are_clear(
    tmp_path: Path, files: list[str], asked: str, numbers: list[int] | None
) -> None:
    write(tmp_path, files)
    with open_source(tmp_path / asked) as source:
        frames = list(source)
    assert [frame.number for frame in frames] == (numbers or [None] * len(frames))
    assert all(any(file.startswith(frame.name) for file in files) for frame in frames)
    assert len({frame.name for frame in frames}) == len(frames)


def test_images_of_one_stem_are_told_apart_by_their_extensions(tmp_path: Path) -> None:
    write(tmp_path, ["yard.bmp", "yard.png", "Yard.jpg"])
    with open_source(tmp_path) as source:
        assert {frame.name for frame in source} == {"yard.bmp", "yard.png", "Yard.jpg"}


def test_a_damaged_image_shifts_no_number(tmp_path: Path) -> None:
    write(tmp_path, ["in1.png", "in2.png", "in5.png"])
    (tmp_path / "in2.png").write_bytes(b"torn")
    with open_source(tmp_path) as source:
        assert [(frame.index, frame.number) for frame in source] == [(0, 1), (2, 5)]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("in%06d.png", [0, 1]),
        ("in%d.png", [0, 1, 2]),
        ("in*.png", [0, 1, 2]),
        ("*.png", [0, 1, 2, 3]),
        ("out?.png", [3]),
        ("in00000[1].png", [0]),
    ],
)
def test_patterns(tmp_path: Path, pattern: str, expected: list[int]) -> None:
    images = write(tmp_path, ["in000001.png", "in000002.png", "in3.png", "out1.png"])
    by_number = [images[index] for index in expected]
    with open_source(tmp_path / pattern) as source:
        for frame, image in zip(source, by_number, strict=True):
            np.testing.assert_array_equal(frame.image, image)


def test_a_file_named_like_a_pattern_is_that_file(tmp_path: Path) -> None:
    images = write(tmp_path, ["shot[1].png", "shot1.png"])
    with open_source(tmp_path / "shot[1].png") as source:
        (frame,) = source
    np.testing.assert_array_equal(frame.image, images[0])


def test_other_files_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path, ["1.png", "2.png"])
    (tmp_path / "Thumbs.db").write_bytes(b"\0" * 99)
    (tmp_path / "notes.txt").write_text("3.png")
    (tmp_path / "._1.png").write_bytes(b"\0" * 99)
    (tmp_path / "3.png").mkdir()
    with open_source(tmp_path) as source:
        assert len(list(source)) == source.info.frame_count == 2


def test_fps_sets_the_times(tmp_path: Path) -> None:
    write(tmp_path, ["1.png", "2.png", "3.png"])
    with open_source(tmp_path, fps=2) as source:
        assert source.info.fps == 2
        assert [frame.time for frame in source] == [0, 0.5, 1.0]


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "tif", "pgm"])
def test_grey_images_stay_grey(tmp_path: Path, suffix: str) -> None:
    image = np.full((24, 32), 77, np.uint8)
    write(tmp_path, [f"1.{suffix}"], [image])
    with open_source(tmp_path) as source:
        (frame,) = source
    np.testing.assert_array_equal(frame.image, image)


def test_grey_images_of_16_bits_keep_them(tmp_path: Path) -> None:
    image = np.arange(24 * 32, dtype=np.uint16).reshape(24, 32) * 80
    write(tmp_path, ["1.png"], [image])
    with open_source(tmp_path) as source:
        (frame,) = source
    assert frame.image.dtype == np.uint16
    np.testing.assert_array_equal(frame.image, image)


def test_colour_of_16_bits_becomes_8_bits(tmp_path: Path) -> None:
    image = pictures(1)[0]
    write(tmp_path, ["1.png"], [image.astype(np.uint16) * 257])
    with open_source(tmp_path) as source:
        (frame,) = source
    assert frame.image.dtype == np.uint8
    np.testing.assert_allclose(frame.image.astype(int), image, atol=1)


def test_transparency_is_left_out(tmp_path: Path) -> None:
    image = pictures(1)[0]
    write(tmp_path, ["1.png"], [np.dstack([image, np.full((24, 32), 10, np.uint8)])])
    with open_source(tmp_path) as source:
        (frame,) = source
    np.testing.assert_array_equal(frame.image, image)


def test_the_first_image_decides_colour_or_grey(tmp_path: Path) -> None:
    colour = pictures(1)[0]
    grey = np.full((24, 32), 77, np.uint8)
    write(tmp_path / "a", ["1.png", "2.png"], [colour, grey])
    write(tmp_path / "b", ["1.png", "2.png"], [grey, colour])
    with open_source(tmp_path / "a") as source:
        assert [frame.image.shape for frame in source] == [(24, 32, 3)] * 2
    with open_source(tmp_path / "b") as source:
        assert [frame.image.shape for frame in source] == [(24, 32)] * 2


@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize("kept", [0, 40, 0.7])
def test_broken_image_is_counted_and_skipped(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, suffix: str, kept: float
) -> None:
    names = [f"{number}.{suffix}" for number in range(1, 6)]
    write(tmp_path, names)
    for name in (names[1], names[3]):
        data = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(data[: int(kept * len(data)) if kept < 1 else int(kept)])
    with caplog.at_level(logging.WARNING, logger="bgsub"), open_source(tmp_path) as source:
        assert [frame.index for frame in source] == [0, 2, 4]
        assert source.damaged == 2
    (record,) = caplog.records
    assert f"2.{suffix}: frame 1 is damaged" in record.getMessage()


def test_a_broken_first_image_leaves_the_others(tmp_path: Path) -> None:
    write(tmp_path, ["1.png", "2.png"])
    (tmp_path / "1.png").write_bytes(b"nothing")
    with open_source(tmp_path) as source:
        assert [frame.index for frame in source] == [1]
        assert source.damaged == 1


def test_images_of_another_size_are_brought_to_the_first(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path, ["1.png", "2.png"])
    write(tmp_path, ["3.png", "4.png"], [np.full(shape, 90, np.uint8) for shape in ((10, 20, 3), (96, 128, 3))])
    with caplog.at_level(logging.WARNING), open_source(tmp_path) as source:
        frames = list(source)
    assert [frame.image.shape for frame in frames] == [(24, 32, 3)] * 4
    assert {int(value) for frame in frames[2:] for value in np.unique(frame.image)} == {90}
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path / '3.png'} has 20x10 pixels, the first image has 32x24: it and all others are brought to that size"
    ]


def test_images_that_are_not_selected_are_not_read(tmp_path: Path) -> None:
    write(tmp_path, [f"{number}.png" for number in range(1, 11)])
    for number in (2, 3, 5, 6, 9, 10):
        (tmp_path / f"{number}.png").write_bytes(b"broken")
    with open_source(tmp_path, fps=1, every=3, end=8) as source:
        assert [frame.index for frame in source] == [0, 3, 6]
        assert source.damaged == 0


def test_folder_without_images_says_what_was_sought(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(SourceError, match=rf"cannot open {tmp_path}: no image \(avif, bmp, .*webp\) in this folder"):
        open_source(tmp_path)
    with pytest.raises(SourceError, match=r"no image named in%04d.jpg in this folder"):
        open_source(tmp_path / "in%04d.jpg")
    with pytest.raises(SourceError, match=r"no image named x\*.png in this folder"):
        open_source(tmp_path / "nowhere" / "x*.png")


def test_no_readable_image(tmp_path: Path) -> None:
    for name in ("1.png", "2.png"):
        (tmp_path / name).write_bytes(b"nothing")
    with pytest.raises(SourceError, match="none of its 2 images can be read"):
        open_source(tmp_path)


def test_pictures_beyond_the_limit_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stills, "MAX_PIXELS", 32 * 24 - 1)
    write(tmp_path, ["1.png"])
    with pytest.raises(SourceError, match=r"1.png: its pictures have 32x24 pixels, more than"):
        open_source(tmp_path)


def test_folder_is_repeatable(tmp_path: Path) -> None:
    write(tmp_path, ["1.png", "2.png"])
    for prefetch in (0, 1):
        with open_source(tmp_path, prefetch=prefetch) as source:
            assert source.repeatable
            assert len(list(source)) == 2
            assert list(source) == []
