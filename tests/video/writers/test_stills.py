"""Folders of PNG files and the background image."""

import cv2
import numpy as np
import pytest

from bgsub.errors import OutputError
from bgsub.video.writers.stills import BackgroundImage
from bgsub.video.writers.videos import foreground_sink, mask_sink
from tests.video.writers.sink_clips import clip_frame, clip_image, clip_info, clip_mask, noise_mask


def test_masks_are_numbered_like_the_source(tmp_path):
    with mask_sink(f"{tmp_path}/masks/", clip_info(first_number=1000)) as sink:
        assert not sink.lossy
        for index in (0, 1, 5):  # a gap: skipped frames keep their number
            sink.write(clip_frame(index), noise_mask(index))
    files = sorted(tmp_path.glob("masks/*"))
    assert [file.name for file in files] == ["bin001000.png", "bin001001.png", "bin001005.png"]
    for index, file in zip((0, 1, 5), files, strict=True):
        np.testing.assert_array_equal(cv2.imread(str(file), cv2.IMREAD_UNCHANGED), noise_mask(index))


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
