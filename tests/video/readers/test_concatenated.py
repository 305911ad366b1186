"""Several sources as one: indices run on, times go on, and what differs is brought to the first."""

import logging
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from bgsub.errors import ParameterError, SourceError
from bgsub.video.opening import open_source, probe
from bgsub.video.readers.concatenated import ConcatenatedSource
from bgsub.video.selection import Selection
from tests.video.clips import HEIGHT, WIDTH, pictures, silence, write_clip


@pytest.fixture
def parts(tmp_path):
    """Writes pictures as parts of so many frames; returns their paths."""

    def write(counts, suffix=".mkv", **options):
        images, paths, begin = pictures(sum(counts)), [], 0
        for number, count in enumerate(counts):
            paths.append(write_clip(tmp_path / f"part{number}{suffix}", images[begin : begin + count], **options))
            begin += count
        return images, paths

    return write


def read(source, **options):
    with open_source(source, **options) as opened:
        frames = list(opened)
    return [frame.index for frame in frames], [frame.time for frame in frames], [frame.image for frame in frames]


@pytest.mark.parametrize("prefetch", [0, 4])
@pytest.mark.parametrize("suffix", [".mkv", ".avi"])
def test_parts_follow_on_one_timeline(parts, suffix, prefetch):
    images, paths = parts([3, 1, 6, 2], suffix)
    indices, times, found = read(paths, prefetch=prefetch)
    assert indices == list(range(12))
    assert np.allclose(times, np.arange(12) / 25, atol=1e-9)
    assert np.array_equal(found, images)


def test_what_is_known_of_the_whole(parts):
    _, paths = parts([3, 4], ".avi", rate=10)
    with open_source(paths) as source:
        info = source.info
        assert (info.name, info.width, info.height, info.fps) == ("part0+1", WIDTH, HEIGHT, Fraction(10))
        assert (info.frame_count, info.duration) == (7, pytest.approx(0.7))
        assert source.repeatable
        assert not info.live
    told = probe([str(path) for path in paths])
    assert (told["parts"], told["audio"]) == ([str(path) for path in paths], False)
    with av.open(str(paths[1].with_suffix(".mkv")), "w") as container:
        streams = container.add_stream("ffv1", rate=10), container.add_stream("pcm_s16le", rate=8000)
        streams[0].width, streams[0].height, streams[0].pix_fmt = WIDTH, HEIGHT, "bgr0"
        streams[1].layout = "mono"
        for packet in streams[0].encode(av.VideoFrame.from_ndarray(pictures(1)[0], format="bgr24")):
            container.mux(packet)
        for stream, frame in ((streams[1], silence()), *((stream, None) for stream in streams)):
            container.mux(stream.encode(frame))
    assert probe([paths[0], paths[1].with_suffix(".mkv")])["audio"]


def test_a_list_of_one_is_that_one(parts):
    images, (path,) = parts([3])
    with open_source([path]) as source:
        assert source.info.name == "part0"
        assert np.array_equal([frame.image for frame in source], images)


def test_an_excerpt_is_one_of_the_whole(parts):
    images, paths = parts([5, 5, 5])
    assert read(paths, start=0.16, end=0.48)[0] == [4, 5, 6, 7, 8, 9, 10, 11]
    indices, times, found = read(paths, start=0.24, duration=0.24, every=2, scale=16)
    assert indices == [6, 8, 10]
    assert np.allclose(times, [0.24, 0.32, 0.4])
    assert [image.shape for image in found] == [(12, 16, 3)] * 3
    whole = [cv2.resize(images[k], (16, 12), interpolation=cv2.INTER_AREA) for k in indices]
    assert np.array_equal(found, whole)
    with pytest.raises(SourceError, match=r"no frame of part0\+2 was selected: its last frame is at 0.560 s"):
        read(paths, start=3)


@pytest.mark.parametrize("suffix", [".mkv", ".avi"])
def test_what_lies_long_before_the_start_is_not_read(parts, suffix, monkeypatch):
    images, paths = parts([150, 130, 170], suffix)
    counted = []
    real = ConcatenatedSource._fitted
    monkeypatch.setattr(
        ConcatenatedSource, "_fitted", lambda self, part, image: counted.append(part) or real(self, part, image)
    )
    for start in (5.0, 10.2, 11.2, 16.0):
        counted.clear()
        indices, times, found = read(paths, start=start)
        first = round(start * 25)
        assert indices == list(range(first, 450))
        assert np.allclose(times, np.arange(first, 450) / 25, atol=0.0011)
        assert np.array_equal(found, images[first:])
        assert len(counted) <= 450 - first + 3 * 52


def test_a_part_that_ends_before_it_said_is_read_from_its_beginning(parts, monkeypatch):
    images, paths = parts([150, 130])
    real = ConcatenatedSource._look

    def long(self, names):
        return [replace(info, duration=info.duration + 60) for info in real(self, names)]

    monkeypatch.setattr(ConcatenatedSource, "_look", long)
    indices, _, found = read(paths, start=8)
    assert indices == list(range(200, 280))
    assert np.array_equal(found, images[200:])


def test_a_rate_that_is_given_holds_for_all(parts):
    _, paths = parts([3, 3])
    assert np.allclose(read(paths, fps=5)[1], np.arange(6) / 5)


def test_parts_of_different_rates_keep_their_own_times(tmp_path):
    images = pictures(6)
    slow = write_clip(tmp_path / "slow.mkv", images[:3], rate=5)
    fast = write_clip(tmp_path / "fast.mkv", images[3:], rate=50)
    assert np.allclose(read([slow, fast])[1], [0, 0.2, 0.4, 0.6, 0.62, 0.64], atol=1e-6)
    assert np.allclose(read([fast, slow])[1], [0, 0.02, 0.04, 0.06, 0.26, 0.46], atol=1e-6)


def test_uneven_frames_go_on_by_their_last_step(tmp_path):
    first = write_clip(tmp_path / "a.mkv", pictures(3), pts=[0, 40, 400], time_base=Fraction(1, 1000))
    second = write_clip(tmp_path / "b.mkv", pictures(2))
    times = read([first, second])[1]
    assert np.allclose(times[:3], [0, 0.04, 0.4], atol=1e-6)
    assert times[2] < times[3] <= 0.4 + 0.36 + 1e-6
    assert times[4] - times[3] == pytest.approx(0.04)


def test_the_first_part_decides_the_size_and_the_channels(tmp_path, caplog):
    small = write_clip(tmp_path / "small.mkv", pictures(2))
    large = write_clip(tmp_path / "large.mkv", [np.full((48, 64, 3), (10, 100, 200), np.uint8)] * 2)
    grey = write_clip(tmp_path / "grey.mkv", [np.full((24, 32), 77, np.uint8)] * 2, pix_fmt="gray")
    _, _, found = read([small, large, grey])
    assert {image.shape for image in found} == {(24, 32, 3)}
    assert (found[2] == (10, 100, 200)).all()
    assert (found[5] == 77).all()
    assert [line.partition("large.mkv ")[2] for line in caplog.messages[:1]] == [
        "has 64x48 pixels in colour: it is brought to 32x24 pixels in colour"
    ]
    assert caplog.messages[1].endswith("grey.mkv has 32x24 pixels in grey: it is brought to 32x24 pixels in colour")
    assert len(caplog.messages) == 2
    assert {image.shape for image in read([grey, small])[2]} == {(24, 32)}
    assert {image.shape for image in read([large, small], scale=0.5)[2]} == {(24, 32, 3)}


def test_folders_of_pictures_are_parts_too(tmp_path):
    images = pictures(5)
    for number, image in enumerate(images):
        folder = tmp_path / ("one" if number < 3 else "two")
        folder.mkdir(exist_ok=True)
        cv2.imwrite(str(folder / f"in{number:06d}.png"), image)
    with open_source([tmp_path / "one", tmp_path / "two"], fps=10) as source:
        frames = list(source)
    assert np.array_equal([frame.image for frame in frames], images)
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    assert np.allclose([frame.time for frame in frames], np.arange(5) / 10)
    assert [frame.name for frame in frames] == [None] * 5  # two folders may hold the same name


def test_a_list_of_images_is_one_sequence_in_its_order(tmp_path):
    images = pictures(3)
    names = [tmp_path / f"in{number}.png" for number in (3, 1, 2)]
    for name, image in zip(names, images, strict=True):
        cv2.imwrite(str(name), image)
    with open_source(names, fps=5) as source:
        frames = list(source)
        assert (source.info.frame_count, source.info.fps, source.info.name) == (3, 5, tmp_path.name)
    assert np.array_equal([frame.image for frame in frames], images)
    assert [frame.number for frame in frames] == [3, 1, 2]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_part_that_cannot_be_opened_ends_none_of_the_rest(parts, tmp_path, caplog, place):
    images, paths = parts([3, 4])
    paths.insert(place, tmp_path / "gone.mkv")
    found = []
    with pytest.raises(SourceError) as caught, open_source(paths) as source:
        found.extend(source)
    assert np.array_equal([frame.image for frame in found], images)
    assert [frame.index for frame in found] == list(range(7))
    line = f"cannot open {tmp_path / 'gone.mkv'}: no such file or folder; check the path"
    assert str(caught.value) == f"of 3 parts, one could not be read whole: {line}"
    assert caplog.messages == [line]


def test_pixels_of_another_kind_are_no_part(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    for name, dtype in (("a", np.uint8), ("b", np.uint16)):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / "1.png"), np.full((24, 32), 9, dtype))
    with pytest.raises(SourceError, match="has pixels of uint16, the parts before it uint8"):
        read([tmp_path / "a", tmp_path / "b"])


def test_when_no_part_can_be_opened_the_first_says_why(tmp_path):
    (tmp_path / "void.mp4").touch()
    with pytest.raises(SourceError, match=r"void.mp4: the file is empty"):
        open_source([tmp_path / "void.mp4", tmp_path / "gone.mp4"])


@pytest.mark.parametrize("wrong", [[], ()])
def test_nothing_is_no_source(wrong):
    with pytest.raises(SourceError, match="nothing to join"):
        open_source(wrong)


def test_what_cannot_be_read_twice_is_no_part(parts):
    _, paths = parts([2, 2])

    def once(path, selection):
        source = open_source(path, prefetch=0)
        source.repeatable = False
        return source

    with pytest.raises(ParameterError, match="cannot join part0 to others: it cannot be read twice; record it first"):
        ConcatenatedSource([str(path) for path in paths], once, Selection())


@pytest.mark.parametrize("broken", [0, 2, 3])
def test_damage_of_all_parts_is_counted_and_moves_no_other_frame(tmp_path, broken):
    images = pictures(8)
    for number, image in enumerate(images):
        folder = tmp_path / ("one" if number < 4 else "two")
        folder.mkdir(exist_ok=True)
        cv2.imwrite(str(folder / f"{number}.png"), image)
    for number in (broken, broken + 4):
        (tmp_path / ("one" if number < 4 else "two") / f"{number}.png").write_bytes(b"no picture")
    with open_source([tmp_path / "one", tmp_path / "two"], prefetch=0) as source:
        frames = list(source)
        assert source.damaged == 2
    assert [frame.index for frame in frames] == [k for k in range(8) if k % 4 != broken]
    assert np.allclose([frame.time for frame in frames], [k / 25 for k in range(8) if k % 4 != broken])


def test_closing_in_the_middle(parts):
    _, paths = parts([5, 5])
    source = open_source(paths)
    assert next(iter(source)).index == 0
    source.close()
    source.close()
    source = open_source(paths, prefetch=0)
    frames = iter(source)
    next(frames)
    source.close()
    assert list(frames) == []


def test_many_parts_are_not_all_looked_at_beforehand(parts, monkeypatch, tmp_path):
    monkeypatch.setattr("bgsub.video.readers.concatenated._MOST_LOOKED_AT", 2)
    images, paths = parts([2, 2, 2])
    with open_source(paths) as source:
        assert source.info.frame_count is None
        assert source.info.duration is None
        assert np.array_equal([frame.image for frame in source], images)
    assert Path(paths[2]).exists()
