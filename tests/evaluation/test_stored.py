"""Masks on a disk, in the layout of CDnet's results."""

import cv2
import numpy as np
import pytest

from bgsub.background.mog2.model import MOG2
from bgsub.errors import OutputError, SourceError
from bgsub.evaluation.datasets import find_sequences
from bgsub.evaluation.scoring import evaluate
from bgsub.evaluation.stored import MaskWriter, StoredMasks, folder_name
from tests.evaluation.made import pictures, write_image, write_sequence


@pytest.fixture
def sequence(tmp_path):
    region = np.full((32, 40), 255, np.uint8)
    region[:9] = 0
    write_sequence(tmp_path / "data/easy/one", *pictures(), first=5, span="10 14", region=region)
    (found,) = find_sequences(tmp_path / "data")
    return found


def test_what_was_written_scores_the_same(sequence, tmp_path):
    masks = []

    def keep(frame, mask):
        masks.append(mask.copy())

    score = evaluate(sequence, MOG2(), keep)
    again = evaluate(sequence, MOG2(), MaskWriter(tmp_path / "out/easy/one"))
    files = sorted((tmp_path / "out/easy/one").iterdir())
    assert [file.name for file in files] == [f"bin{number:06d}.png" for number in range(5, 17)]  # those that train too
    for file, mask in zip(files, masks, strict=True):
        assert np.array_equal(cv2.imread(str(file), cv2.IMREAD_UNCHANGED), np.where(mask == 255, 255, 0))
    assert any((mask == 127).any() for mask in masks)

    stored = StoredMasks(tmp_path / "out")
    seen = []
    read = stored.score(sequence, lambda frame, mask: seen.append(frame.number))
    assert read.counts == again.counts == score.counts
    assert read.numbers == seen == [10, 11, 12, 13, 14]
    assert (read.n_frames, read.seconds, read.milliseconds) == (12, None, None)
    assert stored.label == "out"

    for file in files[:5] + files[10:]:
        file.unlink()  # those that do not count
    assert stored.score(sequence).counts == score.counts
    (tmp_path / "out/easy/one").rename(tmp_path / "out/one")
    assert stored.score(sequence).counts == score.counts


def test_masks_that_are_missing_or_wrong(sequence, tmp_path):
    stored = StoredMasks(tmp_path / "out")
    with pytest.raises(SourceError, match=r"out has no masks of easy/one: add .*out/easy/one/bin000001.png and so on"):
        stored.score(sequence)
    evaluate(sequence, MOG2(), MaskWriter(tmp_path / "out/easy/one"))
    file = tmp_path / "out/easy/one/bin000012.png"
    write_image(file, np.eye(32, 40, dtype=np.uint8))
    with pytest.raises(SourceError, match=r"bin000012.png holds 0 and 1: write foreground as 255"):
        stored.score(sequence)
    write_image(file, np.zeros((40, 32), np.uint8))
    with pytest.raises(SourceError, match="easy/one, frame 12: the mask is 32x40, the ground truth 40x32"):
        stored.score(sequence)
    file.write_bytes(b"no picture")
    with pytest.raises(SourceError, match=r"bin000012.png: it is no image"):
        stored.score(sequence)
    file.unlink()
    with pytest.raises(SourceError, match=r"one has no bin000012.png: the masks of all frames that count are needed"):
        stored.score(sequence)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"cannot make the folder .*file/easy: .*; choose another"):
        MaskWriter(tmp_path / "file/easy")


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("mog2", "mog2"),
        ("mog2:history=300,var_min=2.5", "mog2_history=300_var_min=2.5"),
        ("../..", "method"),
        ("a/b\\c:d", "a_b_c_d"),
    ],
)
def test_names_of_folders(label, name):
    assert folder_name(label) == name
