"""Folders of PNG files and the background image."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from bgsub.errors import OutputError
from bgsub.video.writers.stills import BackgroundImage
from bgsub.video.writers.videos import foreground_sink, mask_sink
from tests.video.writers.sink_clips import clip_frame, clip_image, clip_info, clip_mask, noise_mask


def named(index, **names):
    return replace(clip_frame(index), **names)


def test_masks_have_the_numbers_of_their_images(tmp_path):
    with mask_sink(f"{tmp_path}/masks/", clip_info()) as sink:
        assert not sink.lossy
        for index, number in enumerate((1, 50, 1_000_000)):
            sink.write(named(index, name=f"in{number}", number=number), noise_mask(index))
    files = sorted(tmp_path.glob("masks/*"))
    assert [file.name for file in files] == ["bin000001.png", "bin000050.png", "bin1000000.png"]
    for index, file in enumerate(files):
        np.testing.assert_array_equal(cv2.imread(str(file), cv2.IMREAD_UNCHANGED), noise_mask(index))


def test_masks_of_a_video_are_numbered_from_one(tmp_path):
    with mask_sink(f"{tmp_path}/masks/", clip_info()) as sink:
        for index in (0, 1, 5):  # a gap: skipped frames keep their number
            sink.write(clip_frame(index), noise_mask(index))
    assert sorted(file.name for file in tmp_path.glob("masks/*")) == [f"bin{n:06d}.png" for n in (1, 2, 6)]


@pytest.mark.parametrize("make", [mask_sink, foreground_sink])
def test_masks_have_the_names_of_their_images_where_these_have_no_number(tmp_path, make):
    names = ["2024-05-01_12-05-00", "Büro [2]", "../../outside"]  # the last could only come from a program
    with make(f"{tmp_path}/a/", clip_info()) as sink:
        for index, name in enumerate(names):
            sink.write(named(index, name=name), clip_mask(index))
    assert {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*.png")} == {
        "a/2024-05-01_12-05-00.png",
        "a/Büro [2].png",
        "a/outside.png",
    }


def test_other_pictures_in_the_folder_are_told_of(tmp_path, caplog):
    folder = tmp_path / "masks"
    folder.mkdir()
    for name in ("monday.png", "tuesday.png", "wednesday.PNG", "notes.txt", "bin000007.png"):
        (folder / name).write_text("old")
    with mask_sink(folder, clip_info(), overwrite=True) as sink:
        sink.write(named(0, name="monday"), clip_mask(0))
    assert [record.getMessage() for record in caplog.records] == [
        f"{folder} also holds 2 other PNG files, such as tuesday.png"
    ]
    assert sorted(file.name for file in folder.iterdir()) == ["monday.png", "notes.txt", "tuesday.png", "wednesday.PNG"]


def test_cutouts_are_transparent(tmp_path):
    with foreground_sink(tmp_path / "objects", clip_info()) as sink:
        sink.write(clip_frame(0), clip_mask(0))
    image = cv2.imread(str(tmp_path / "objects" / "fg000001.png"), cv2.IMREAD_UNCHANGED)
    moving = clip_mask(0) == 255
    np.testing.assert_array_equal(image[..., 3] == 255, moving)
    np.testing.assert_array_equal(image[moving][:, :3], clip_image(0)[moving])


def test_no_frames_make_no_folder(tmp_path):
    with (
        mask_sink(tmp_path / "masks", clip_info()),
        BackgroundImage(tmp_path / "b.png", lambda: clip_image(0)),
    ):
        pass
    assert not list(tmp_path.iterdir())


def test_overwriting_removes_only_what_an_earlier_run_wrote(tmp_path):
    folder = tmp_path / "masks"
    folder.mkdir()
    for name in ("bin000001.png", "bin000099.png", "binary.png", "notes.txt"):
        (folder / name).write_text("old")
    with mask_sink(folder, clip_info(), overwrite=True) as sink:
        assert (folder / "bin000099.png").exists()  # until writing begins
        sink.write(clip_frame(0), clip_mask(0))
    assert sorted(file.name for file in folder.iterdir()) == ["bin000001.png", "binary.png", "notes.txt"]
    assert cv2.imread(str(folder / "bin000001.png")) is not None


@pytest.mark.parametrize("suffix", ["png", "bmp", "tiff", "jpg", "webp"])
def test_background_is_written_at_the_end(tmp_path, suffix):
    path = tmp_path / f"b.{suffix}"
    with BackgroundImage(path, lambda: clip_image(7)) as sink:
        sink.write(clip_frame(0), clip_mask(0))
        assert not path.exists()
    difference = cv2.imread(str(path)).astype(int) - clip_image(7)
    assert np.abs(difference).max() <= (0 if suffix in ("png", "bmp", "tiff") else 4)


@pytest.mark.parametrize(("error", "written"), [(RuntimeError, False), (KeyboardInterrupt, True)])
def test_background_after_an_error_and_after_ctrl_c(tmp_path, error, written):
    with pytest.raises(error), BackgroundImage(tmp_path / "b.png", lambda: clip_image(0)) as sink:
        sink.write(clip_frame(0), clip_mask(0))
        raise error
    assert (tmp_path / "b.png").exists() == written


def test_background_of_any_depth(tmp_path):
    with BackgroundImage(tmp_path / "b.png", lambda: np.full((4, 4), 0.5, np.float32)) as sink:
        sink.write(clip_frame(0), clip_mask(0))
    assert (cv2.imread(str(tmp_path / "b.png"), cv2.IMREAD_UNCHANGED) == 128).all()


def test_background_path_is_checked_at_once(tmp_path):
    with pytest.raises(OutputError, match=r"not one of \.png, \.jpg"):
        BackgroundImage(tmp_path / "b.mkv", lambda: clip_image(0))
    (tmp_path / "b.png").write_text("old")
    with pytest.raises(OutputError, match=r"b\.png exists"):
        BackgroundImage(tmp_path / "b.png", lambda: clip_image(0))


def test_a_folder_that_became_unwritable(tmp_path):
    sink = mask_sink(tmp_path / "masks", clip_info())
    (tmp_path / "masks").write_text("in the way")
    with pytest.raises(OutputError, match=r"cannot write to folder .*masks: File exists"):
        sink.write(clip_frame(0), clip_mask(0))
