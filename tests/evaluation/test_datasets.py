"""Finding sequences in both layouts, reading them, and every way in which a data set can be broken."""

import logging
import os
import shutil

import cv2
import numpy as np
import pytest

from bgsub.errors import SourceError
from bgsub.evaluation.datasets import find_sequences
from tests.evaluation.made import pictures, write_clip_with_truth, write_dataset, write_image, write_sequence

IMAGES, TRUTHS = pictures(6)


def keys(path, **filters):
    return [sequence.key for sequence in find_sequences(path, **filters)]


def only(path):
    (sequence,) = find_sequences(path)
    return sequence


def counted(sequence):
    return [frame.number for frame in sequence if frame.truth is not None]


@pytest.fixture
def sequence(tmp_path):
    """A folder with one sound sequence, to be broken."""
    return write_sequence(tmp_path / "data/category/name", IMAGES, TRUTHS)


# ---------------------------------------------------------------------------------------------------- CDnet's layout


def test_root_category_and_sequence(tmp_path):
    root = write_dataset(tmp_path / "archive/dataset")
    assert keys(root) == keys(tmp_path / "archive") == ["easy/one", "easy/two", "hard/three"]
    assert keys(root / "easy") == ["easy/one", "easy/two"]
    assert keys(root / "hard/three") == ["hard/three"]
    assert keys(os.path.relpath(root / "easy/one")) == ["easy/one"]


def test_filters(tmp_path):
    root = write_dataset(tmp_path)
    assert keys(root, categories=["ea*"]) == ["easy/one", "easy/two"]
    assert keys(root, names=["t*"]) == ["easy/two", "hard/three"]
    assert keys(root, names=["easy/t*", "three"]) == ["easy/two", "hard/three"]
    assert keys(root, categories=["hard"], names=["t*"]) == ["hard/three"]
    with pytest.raises(SourceError, match="has no sequence that fits --category and --sequence"):
        keys(root, names=["four"])


def test_frames_and_labels(sequence):
    frames = list(only(sequence))
    assert [frame.number for frame in frames] == [1, 2, 3, 4, 5, 6]
    for frame, image, truth in zip(frames, IMAGES, TRUTHS, strict=True):
        assert np.array_equal(frame.image, image) and np.array_equal(frame.truth, truth)
    assert only(sequence).frame_count == 6
    assert only(sequence).region() is None


def test_frames_that_only_train(tmp_path):
    span = write_sequence(tmp_path / "a/span", IMAGES, TRUTHS, first=10, span="12\t14\r\n")
    assert counted(only(span)) == [12, 13, 14]  # both ends count
    assert [frame.number for frame in only(span)] == [10, 11, 12, 13, 14, 15]
    beyond = write_sequence(tmp_path / "a/beyond", IMAGES, TRUTHS, first=0, span="4 99")
    assert counted(only(beyond)) == [4, 5]
    sparse = write_sequence(tmp_path / "a/sparse", IMAGES, [None, None, TRUTHS[2], None, TRUTHS[4], None])
    assert counted(only(sparse)) == [3, 5]


def test_grey_frames_and_other_formats(tmp_path):
    images, truths = pictures(4, grey=True)
    folder = write_sequence(tmp_path / "a/grey", images, truths)
    assert [frame.image.shape for frame in only(folder)] == [images[0].shape] * 4
    for file in (folder / "input").iterdir():
        cv2.imwrite(str(file.with_suffix(".webp")), cv2.imread(str(file)), [cv2.IMWRITE_WEBP_QUALITY, 101])
        file.unlink()
    assert len(list(only(folder))) == 4


def test_the_region(tmp_path):
    region = np.zeros(TRUTHS[0].shape, np.uint8)
    region[5:20, 4:30] = 3
    folder = write_sequence(tmp_path / "a/bmp", IMAGES, TRUTHS, region=region)
    assert np.array_equal(only(folder).region(), region > 0)
    (folder / "ROI.bmp").unlink()
    lossy = np.where(region, 255, 0).astype(np.uint8)
    lossy[0, 0] = 9  # what JPEG leaves beside an edge
    cv2.imwrite(str(folder / "ROI.jpg"), lossy, [cv2.IMWRITE_JPEG_QUALITY, 100])
    assert np.array_equal(only(folder).region(), region > 0)


def test_a_decoded_sequence_is_the_same(sequence):
    write_image(sequence / "ROI.bmp", np.eye(*TRUTHS[0].shape, dtype=np.uint8) * 255)
    once = only(sequence)
    twice = once.decoded()
    assert (twice.key, twice.frame_count) == (once.key, 6)
    assert np.array_equal(twice.region(), once.region())
    for _ in range(2):
        for a, b in zip(once, twice, strict=True):
            assert a.number == b.number and np.array_equal(a.image, b.image) and np.array_equal(a.truth, b.truth)


def test_a_gap_without_ground_truth_is_told(sequence, caplog):
    (sequence / "input/in000002.png").unlink()
    (sequence / "groundtruth/gt000002.png").unlink()
    with caplog.at_level(logging.WARNING, "bgsub"):
        assert counted(only(sequence)) == [1, 3, 4, 5, 6]
    assert "has no frame 2, nor a ground truth of it" in caplog.text


# ------------------------------------------------------------------------------------------------------ broken data


def read_all(sequence):
    for found in find_sequences(sequence):
        found.region()
        list(found)


def remove(*names):
    return lambda folder: [
        (folder / name).unlink() if (folder / name).is_file() else shutil.rmtree(folder / name) for name in names
    ]


def write(name, image):
    return lambda folder: write_image(folder / name, image)


def text(name, content):
    return lambda folder: (folder / name).write_bytes(content)


SMALL = TRUTHS[0][:-1, :-2].copy()


@pytest.mark.parametrize(
    ("breaking", "message"),
    [
        (remove("groundtruth"), r"name has no folder groundtruth: add the ground truth, gt000001.png and so on"),
        (remove("input"), r"name has ground truth but no folder input: add the frames"),
        (remove("input/in000004.png"), r"input has no frame 4 \(1 missing\), though groundtruth has one: copy"),
        (remove(*(f"input/in00000{i}.png" for i in range(1, 7))), r"cannot open .*input: no image"),
        (remove(*(f"groundtruth/gt00000{i}.png" for i in range(1, 7))), r"cannot open .*groundtruth: no image"),
        (text("input/in000004.png", b"\x89PNG"), r"input/in000004.png cannot be read: copy the sequence again"),
        (text("input/in000006.png", b""), r"input/in000006.png cannot be read: copy the sequence again"),
        (text("groundtruth/gt000004.png", b"?"), r"gt000004.png: it is no image"),
        (write("groundtruth/gt000004.png", SMALL), r"gt000004.png has 38x31 pixels, the frames 40x32: make them one"),
        (write("ROI.bmp", SMALL), r"ROI.bmp has 38x31 pixels, the frames 40x32: make them one size"),
        (text("ROI.bmp", b"BM"), r"ROI.bmp: it is no image"),
        (write("input/in000003.bmp", IMAGES[0]), r"in000003\.\w+ and in000003\.\w+ have one number: remove one"),
        (write("input/cover.png", IMAGES[0]), r"cover.png has no number in its name"),
        (text("temporalROI.txt", b""), r"temporalROI.txt does not hold two numbers, the first and the last frame"),
        (text("temporalROI.txt", b"4"), r"does not hold two numbers"),
        (text("temporalROI.txt", b"5 4"), r"does not hold two numbers"),
        (text("temporalROI.txt", b"1 " * 10**6), r"does not hold two numbers"),
        (text("temporalROI.txt", b"-1 4"), r"does not hold two numbers"),
        (text("temporalROI.txt", b"7 900"), r"no frame with ground truth lies within temporalROI.txt \(7 to 900\)"),
    ],
)
def test_broken_sequences(sequence, breaking, message):
    read_all(sequence)
    breaking(sequence)
    with pytest.raises(SourceError, match=message) as caught:
        read_all(sequence)
    assert "\n" not in str(caught.value)


def test_folders_without_sequences(tmp_path):
    with pytest.raises(SourceError, match="nowhere: no such file or folder; check the path"):
        find_sequences(tmp_path / "nowhere")
    with pytest.raises(SourceError, match=r"has no sequence: give a folder in CDnet's layout"):
        find_sequences(tmp_path)
    (tmp_path / "clip.mp4").touch()
    with pytest.raises(SourceError, match=r"has videos but no ground truth: add NAME.truth.mkv beside NAME.mp4"):
        find_sequences(tmp_path)


# ------------------------------------------------------------------------------------------------------------ clips


def test_clips(tmp_path):
    for name in ("b", "a"):
        clip = write_clip_with_truth(tmp_path / "clips", name, IMAGES, TRUTHS)
    (tmp_path / "clips/other.mp4").touch()
    assert keys(tmp_path / "clips") == keys(tmp_path) == ["clips/a", "clips/b"]
    assert keys(clip) == keys(clip.with_name("a.truth.mkv")) == ["clips/a"]
    frames = list(only(clip))
    assert [frame.number for frame in frames] == [1, 2, 3, 4, 5, 6]
    for frame, image, truth in zip(frames, IMAGES, TRUTHS, strict=True):
        assert np.array_equal(frame.image, image) and np.array_equal(frame.truth, truth)
    assert only(clip).frame_count == 6 and only(clip).region() is None


def test_what_lies_below_a_folder_of_clips_is_apart_and_told(tmp_path, caplog):
    for place in ("clips", "clips/apart", "clips/more/deep"):
        write_clip_with_truth(tmp_path / place, place[-1], IMAGES, TRUTHS)
    (tmp_path / "clips/empty").mkdir()
    with caplog.at_level("INFO", "bgsub"):
        assert keys(tmp_path / "clips") == keys(tmp_path) == ["clips/s"]
    told = f"{tmp_path / 'clips' / 'apart'} holds sequences apart from those here: to score them, evaluate that folder"
    assert caplog.messages[0] == told
    assert [message.split(" holds")[0] for message in caplog.messages] == 2 * [
        str(tmp_path / "clips" / name) for name in ("apart", "more")
    ]
    assert keys(tmp_path / "clips/apart") == keys(tmp_path / "clips", categories=["apart"]) == ["apart/t"]
    assert keys(tmp_path, categories=["*"]) == ["apart/t", "clips/s", "deep/p"]
    assert keys(tmp_path / "clips/more") == ["deep/p"]


def test_sequences_below_folders_without_clips_are_all_taken(tmp_path):
    write_clip_with_truth(tmp_path / "a/b", "one", IMAGES, TRUTHS)
    write_sequence(tmp_path / "a/c/two", IMAGES, TRUTHS)
    assert keys(tmp_path) == ["b/one", "c/two"]


def test_broken_clips(tmp_path):
    clip = write_clip_with_truth(tmp_path, "a", IMAGES, TRUTHS[:-1])
    with pytest.raises(SourceError, match=r"a.truth.mkv ends after 5 frames, a.mkv goes on: give each frame its"):
        list(only(clip))
    write_clip_with_truth(tmp_path, "a", IMAGES[:-2], TRUTHS)
    with pytest.raises(SourceError, match=r"a.mkv ends after 4 frames, a.truth.mkv goes on"):
        list(only(clip))
    write_clip_with_truth(tmp_path, "a", IMAGES, [truth[:-2].copy() for truth in TRUTHS])
    with pytest.raises(SourceError, match=r"a.truth.mkv has 40x30 pixels, the frames 40x32: make them one size"):
        list(only(clip))
    clip.unlink()
    for path in (tmp_path, tmp_path / "a.truth.mkv"):
        with pytest.raises(SourceError, match=r"a.truth.mkv has no clip beside it: add the video"):
            find_sequences(path)
    lonely = tmp_path / "lonely.mkv"
    lonely.touch()
    with pytest.raises(SourceError, match=r"lonely.mkv has no ground truth: add lonely.truth.mkv, FFV1, beside it"):
        find_sequences(lonely)


def test_two_of_one_name(tmp_path):
    for part in "12":
        write_sequence(tmp_path / part / "easy/one", IMAGES, TRUTHS)
    with pytest.raises(SourceError, match="are both called easy/one: rename one of them"):
        find_sequences(tmp_path)
