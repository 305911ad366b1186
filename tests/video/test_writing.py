"""Videos written by a program come back as they were written, and stay whole whatever ends it."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
import pytest

import bgsub
from bgsub.errors import OutputError, ParameterError
from bgsub.video.frame import Frame, VideoInfo
from tests.video.clips import pictures

INFO = VideoInfo("clip", 32, 24, Fraction(25), None, "ffv1", None)
MASKS = [np.zeros((24, 32), np.uint8) for _ in range(3)]
for number, one in enumerate(MASKS):
    one[4:12, 4 + 4 * number : 16 + 4 * number] = 255


def read(path):
    with bgsub.open_source(path) as source:
        return list(source)


# -------------------------------------------------------------------------------------------------------------- sinks


def test_masks_overlays_foregrounds_and_frames(tmp_path):
    images = pictures(3)
    for kind in ("mask", "overlay", "foreground", "frames"):
        with bgsub.open_sink(tmp_path / f"{kind}.mkv", INFO, kind) as sink:
            for index, (image, mask) in enumerate(zip(images, MASKS, strict=True)):
                sink.write(Frame(index, index / 25, image), mask)
    written = {kind: read(tmp_path / f"{kind}.mkv") for kind in ("mask", "overlay", "foreground", "frames")}
    assert {kind: [frame.time for frame in frames] for kind, frames in written.items()} == {
        kind: [0.0, 0.04, 0.08] for kind in written
    }
    for index, (image, mask) in enumerate(zip(images, MASKS, strict=True)):
        np.testing.assert_array_equal(written["mask"][index].image, mask)
        inside = mask == 255
        np.testing.assert_array_equal(written["foreground"][index].image[inside], image[inside])
        assert written["overlay"][index].image.shape == written["frames"][index].image.shape == (24, 32, 3)


def test_the_mask_is_the_default_and_a_folder_takes_images(tmp_path):
    with bgsub.open_sink(tmp_path / "masks", INFO) as sink:
        sink.write(Frame(0, 0.0, pictures(1)[0]), MASKS[0])
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "masks" / "bin000001.png"), -1), MASKS[0])


def test_colour_quality_and_range_of_what_is_written(tmp_path):
    flat = np.full((48, 64), 30_000, np.uint16)
    flat[:, 32:] = 30_100
    mask = np.zeros((48, 64), np.uint8)
    mask[8:40, 4:28] = 255
    sizes = {}
    for quality, color in ((100, "#00ff00"), (1, (0, 255, 0))):
        path = tmp_path / f"{quality}.mkv"
        with bgsub.open_sink(path, INFO, "overlay", color=color, quality=quality, value_range=(29_000, 31_000)) as sink:
            for index in range(10):
                sink.write(Frame(index, index / 25, flat), mask)
        image = read(path)[0].image.astype(int)
        assert np.abs(image[20, 15] - [70, 185, 70]).max() < 25  # green over grey
        assert np.abs(image[20, 50] - 140).max() < 12  # not stretched to white: the range was told
        sizes[quality] = path.stat().st_size
    assert sizes[100] > sizes[1]


def test_sinks_that_cannot_be(tmp_path):
    for quality in (0, 101, 7.5, True, "high"):
        with pytest.raises(ParameterError, match=r"^quality is .*: give a whole number from 1 to 100$"):
            bgsub.open_sink(tmp_path / "a.mkv", INFO, "overlay", quality=quality)
        with pytest.raises(ParameterError, match=r"^quality is .*: give a whole number from 1 to 100$"):
            bgsub.VideoWriter(tmp_path / "a.mkv", quality=quality)
    with pytest.raises(ParameterError, match=r"^color is of an overlay, and kind is 'foreground': leave one"):
        bgsub.open_sink(tmp_path / "a.mkv", INFO, "foreground", color="red")
    with pytest.raises(ParameterError, match=r"^color is \(1, 2\): give blue, green and red"):
        bgsub.open_sink(tmp_path / "a.mkv", INFO, "overlay", color=(1, 2))
    with pytest.raises(ParameterError, match=r"^kind is 'masks': give 'mask', 'overlay', 'foreground', 'frames'$"):
        bgsub.open_sink(tmp_path / "a.mkv", INFO, "masks")
    with pytest.raises(OutputError, match=r"a\.txt: its extension is not one of \.mkv"):
        bgsub.open_sink(tmp_path / "a.txt", INFO)
    (tmp_path / "b.mkv").write_bytes(b"kept")
    with pytest.raises(OutputError, match=r"b\.mkv exists"):
        bgsub.open_sink(tmp_path / "b.mkv", INFO, "overlay")
    with bgsub.open_sink(tmp_path / "b.mkv", INFO, "overlay", overwrite=True):
        pass
    assert (tmp_path / "b.mkv").read_bytes() == b"kept"  # no frame came


# ------------------------------------------------------------------------------------------------------------- writer


def test_lossless_pictures_come_back(tmp_path):
    images = pictures(6, width=33, height=21)
    with bgsub.VideoWriter(tmp_path / "a.mkv", fps=10, lossless=True) as writer:
        for image in images:
            writer.write(image)
    frames = read(tmp_path / "a.mkv")
    assert [frame.time for frame in frames] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5])
    for frame, image in zip(frames, images, strict=True):
        np.testing.assert_array_equal(frame.image, image)
    assert (writer.n_frames, repr(writer)) == (6, f"<VideoWriter '{tmp_path / 'a.mkv'}': 6 frames>")


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_every_kind_of_file_looks_as_what_was_written(tmp_path, suffix):
    with bgsub.VideoWriter(tmp_path / f"a{suffix}", fps=Fraction(30000, 1001)) as writer:
        for level in (40, 120, 200):
            writer.write(np.full((48, 64, 3), level, np.uint8))
    frames = read(tmp_path / f"a{suffix}")
    assert [round(float(frame.image.mean()), -1) for frame in frames] == [40, 120, 200]
    assert [frame.time for frame in frames] == pytest.approx([0, 0.0334, 0.0667], abs=1e-3)


def test_a_higher_quality_comes_closer_to_what_was_written(tmp_path):
    images = [cv2.GaussianBlur(image, (0, 0), 1.5) for image in pictures(5, width=96, height=64)]
    errors = {}
    for quality in (5, 95):
        path = tmp_path / f"{quality}.mp4"
        with bgsub.VideoWriter(path, quality=quality) as writer:
            for image in images:
                writer.write(image)
        errors[quality] = np.mean(
            [np.abs(f.image.astype(int) - i).mean() for f, i in zip(read(path), images, strict=True)]
        )
    assert errors[95] < 0.7 * errors[5]


def test_grey_pictures_and_masks(tmp_path):
    mask = MASKS[0] == 255
    with bgsub.VideoWriter(tmp_path / "a.mkv", lossless=True) as writer:
        for image in (MASKS[0], MASKS[0][..., None], mask):
            writer.write(image)
    for frame in read(tmp_path / "a.mkv"):
        np.testing.assert_array_equal(frame.image, np.repeat(MASKS[0][..., None], 3, axis=2))


def test_times_of_ones_own(tmp_path):
    with bgsub.VideoWriter(tmp_path / "a.mkv", fps=10) as writer:
        for time in (0, 0.5, None, 2, None):
            writer.write(MASKS[0], time)
    assert [frame.time for frame in read(tmp_path / "a.mkv")] == pytest.approx([0, 0.5, 0.6, 2, 2.1])


@pytest.mark.parametrize("wrong", [0.5, 0.4, -1, float("nan"), float("inf")])
def test_times_that_do_not_rise_are_refused_and_change_nothing(tmp_path, wrong):
    with bgsub.VideoWriter(tmp_path / "a.mkv") as writer:
        if wrong < 0:
            with pytest.raises(ParameterError, match=r"^time is -1: give seconds, 0 or more$"):
                writer.write(MASKS[0], wrong)
        writer.write(MASKS[0], 0.5)
        with pytest.raises(ParameterError, match=r"^time is .*: give seconds, more than the last picture's, 0\.5$"):
            writer.write(MASKS[0], wrong)
        writer.write(MASKS[1], 0.6)
    assert writer.n_frames == len(read(tmp_path / "a.mkv")) == 2


def test_what_cannot_be_written_is_told_and_what_was_is_kept(tmp_path):
    with bgsub.VideoWriter(tmp_path / "a.mkv", lossless=True) as writer:
        writer.write(MASKS[0])
        with pytest.raises(ParameterError, match=r"^image is a NoneType: give a NumPy array$"):
            writer.write(None)
        with pytest.raises(ParameterError, match=r"^image has shape \(24, 32, 4\)"):
            writer.write(bgsub.cutout(MASKS[0], MASKS[0]))
        with pytest.raises(OutputError, match="picture changed from 32x24 to 16x24"):
            writer.write(MASKS[0][:, :16])
    with pytest.raises(ParameterError, match=r"a\.mkv: it is closed; make another VideoWriter$"):
        writer.write(MASKS[0])
    writer.close()
    assert len(read(tmp_path / "a.mkv")) == 1


def test_a_program_that_fails_leaves_a_whole_video(tmp_path):
    with pytest.raises(ZeroDivisionError), bgsub.VideoWriter(tmp_path / "a.mp4") as writer:
        for image in pictures(4):
            writer.write(image)
        raise ZeroDivisionError
    assert len(read(tmp_path / "a.mp4")) == 4


def test_writers_that_cannot_be(tmp_path):
    with pytest.raises(ParameterError, match=r"a\.mp4 without loss: give a name that ends in \.mkv$"):
        bgsub.VideoWriter(tmp_path / "a.mp4", lossless=True)
    for fps in (0, -1, float("nan"), 1e9, "25"):
        with pytest.raises(ParameterError, match=r"^fps=.* is out of bounds; give frames per second above 0"):
            bgsub.VideoWriter(tmp_path / "a.mp4", fps)
    with pytest.raises(OutputError, match=r"a\.png: its extension is not one of"):
        bgsub.VideoWriter(tmp_path / "a.png")
    (tmp_path / "b.mkv").write_bytes(b"kept")
    with pytest.raises(OutputError, match=r"b\.mkv exists"):
        bgsub.VideoWriter(tmp_path / "b.mkv")
    with bgsub.VideoWriter(tmp_path / "b.mkv", overwrite=True):
        pass
    assert (tmp_path / "b.mkv").read_bytes() == b"kept"  # no picture came
    with bgsub.VideoWriter(tmp_path / "b.mkv", overwrite=True) as writer:
        writer.write(MASKS[0])
    assert len(read(tmp_path / "b.mkv")) == 1


def test_a_picture_an_hour(tmp_path):
    with bgsub.VideoWriter(tmp_path / "a.mkv", fps=1 / 3600, lossless=True) as writer:
        writer.write(MASKS[0])
        writer.write(MASKS[1])
    assert [frame.time for frame in read(tmp_path / "a.mkv")] == pytest.approx([0, 3600], rel=1e-3)
