"""Files that are whole, cut off or trimmed: how many frames are promised, how many come, and what is said."""

from __future__ import annotations

import logging
import struct
from pathlib import Path

import av
import numpy as np
import pytest

from bgsub.errors import SourceError
from bgsub.video.opening import open_source, probe
from tests.video.clips import pictures, smooth_pictures, write_clip

FRAGMENTS = "frag_keyframe+empty_moov+default_base_moof"
COUNT = 50


def write(path: Path, *, movflags: str | None = None, sound: bool = False, **options: object) -> Path:
    """Fifty frames at 25/s, a keyframe every ten, no B-frames."""
    if not sound:
        flags = {"movflags": movflags} if movflags else {}
        return write_movie(path, flags)
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=25, options={"sc_threshold": "1000000000"})
        video.width, video.height, video.pix_fmt, video.codec_context.gop_size = 64, 48, "yuv420p", 10
        audio = container.add_stream("aac", rate=8000, layout="mono")
        for image in pictures(COUNT, 64, 48):
            container.mux(video.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
            sound_frame = av.AudioFrame.from_ndarray(np.zeros((1, 320), np.float32), format="fltp", layout="mono")
            sound_frame.sample_rate = 8000
            container.mux(audio.encode(sound_frame))
        container.mux(video.encode())
        container.mux(audio.encode())
    return path


def write_movie(path: Path, container_options: dict[str, str]) -> Path:
    with av.open(str(path), "w", container_options=container_options) as container:
        stream = container.add_stream("mpeg4", rate=25, options={"sc_threshold": "1000000000"})
        stream.width, stream.height, stream.pix_fmt, stream.codec_context.gop_size = 64, 48, "yuv420p", 10
        for image in pictures(COUNT, 64, 48):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode())
    return path


def cut(path: Path, size: int | float) -> Path:
    """Leave the first bytes, or a part of them."""
    data = path.read_bytes()
    path.write_bytes(data[: size if isinstance(size, int) else int(len(data) * size)])
    return path


def trim(path: Path, begin: int, length: int) -> Path:
    """Let an mp4's edit list show so many milliseconds from so many on."""
    data = bytearray(path.read_bytes())
    place = data.index(b"elst")
    with av.open(str(path)) as container:
        ticks = int(begin / 1000 / container.streams.video[0].time_base)
    struct.pack_into(">Ii", data, place + 12, length, ticks)
    path.write_bytes(data)
    return path


def read(path: Path, caplog: pytest.LogCaptureFixture, **options: float) -> tuple[int | None, int, str]:
    """Number of frames that is promised, that which comes, and what is said."""
    caplog.clear()
    with caplog.at_level(logging.WARNING, logger="bgsub"), open_source(path, **options) as source:  # type: ignore[arg-type]
        times = [frame.time for frame in source]
    assert times == pytest.approx([options.get("start", 0) + index / 25 for index in range(len(times))])
    return source.info.frame_count, len(times), "\n".join(record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("codec", ["mjpeg", "mpeg4", "ffv1"])
@pytest.mark.parametrize("gaps", [(2,), (5, 6, 7), (1, 3, 5, 7, 9)])
def test_an_avi_with_gaps_is_whole(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, codec: str, gaps: tuple[int, ...]
) -> None:
    stamps = [index for index in range(40) if index not in gaps]
    pix_fmt = {"mjpeg": "yuvj420p", "mpeg4": "yuv420p", "ffv1": "bgr0"}[codec]
    path = write_clip(tmp_path / "x.avi", smooth_pictures(len(stamps)), codec=codec, pix_fmt=pix_fmt, pts=stamps)
    with caplog.at_level(logging.WARNING), open_source(path) as source:
        assert [frame.time for frame in source] == pytest.approx([stamp / 25 for stamp in stamps])
        assert source.info.frame_count == len(stamps)
    assert caplog.records == []


@pytest.mark.parametrize(
    ("begin", "length", "expected"), [(0, 1000, 25), (600, 1400, 35), (520, 600, 15), (0, 80, 2), (0, 2000, 50)]
)
def test_a_trimmed_mp4_is_whole(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, begin: int, length: int, expected: int
) -> None:
    path = trim(write(tmp_path / "x.mp4"), begin, length)
    assert read(path, caplog) == (expected, expected, "")
    assert probe(path)["duration"] == pytest.approx(length / 1000)


@pytest.mark.parametrize("flags", ["frag_keyframe", FRAGMENTS, "faststart", None])
def test_all_frames_of_an_mp4_are_promised(tmp_path: Path, caplog: pytest.LogCaptureFixture, flags: str | None) -> None:
    assert read(write(tmp_path / "x.mp4", movflags=flags), caplog) == (COUNT, COUNT, "")


def test_fragments_of_which_only_the_first_are_known_promise_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(tmp_path / "x.mp4", movflags="dash+frag_keyframe+global_sidx+delay_moov")
    promised, came, said = read(path, caplog)
    assert promised in (None, COUNT)
    assert (came, said) == (COUNT, "")


@pytest.mark.parametrize("name", ["x.mp4", "x.mov", "x.mkv", "x.avi"])
@pytest.mark.parametrize("sound", [False, True])
def test_whole_files_are_not_called_cut_off(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, sound: bool
) -> None:
    promised, came, said = read(write(tmp_path / name, sound=sound), caplog)
    assert (came, said) == (COUNT, "")
    assert promised == (None if name == "x.mkv" else COUNT)


@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("flags", ["faststart", "frag_keyframe", FRAGMENTS])
def test_an_mp4_that_is_cut_off(tmp_path: Path, caplog: pytest.LogCaptureFixture, flags: str, part: float) -> None:
    path = cut(write(tmp_path / "x.mp4", movflags=flags), part)
    promised, came, said = read(path, caplog)
    assert 0 < came < COUNT
    assert promised == came
    assert said.endswith("it is cut off")
    if flags == "faststart":
        assert f"x.mp4 ends after {came} of {COUNT} frames: it is cut off" in said


def test_a_fragment_of_which_the_last_picture_is_cut(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(tmp_path / "x.mp4", movflags="frag_every_frame+empty_moov")
    data = path.read_bytes()
    _, came, said = read(cut(path, data.rindex(b"mdat") + 100), caplog)
    assert came == COUNT - 1
    assert said.endswith(f"x.mp4 ends after {COUNT - 1} of {COUNT} frames: it is cut off")


@pytest.mark.parametrize("sound", [False, True])
@pytest.mark.parametrize("name", ["x.avi", "x.mkv", "x.mov"])
def test_others_that_are_cut_off(tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, sound: bool) -> None:
    path = write(tmp_path / name, sound=sound)
    if name == "x.mov":
        with av.open(str(path)) as whole, av.open(str(tmp_path / "y.mov"), "w", options={"movflags": "faststart"}) as o:
            streams = {s.index: o.add_stream_from_template(s) for s in whole.streams}
            for packet in whole.demux():
                if packet.dts is not None:
                    packet.stream = streams[packet.stream_index]
                    o.mux(packet)
        path = tmp_path / "y.mov"
    _, came, said = read(cut(path, 0.6), caplog)
    assert 0 < came < COUNT
    assert said.endswith("it is cut off")


def test_a_late_start_in_a_file_that_is_cut_off(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = cut(write(tmp_path / "x.avi"), 0.8)
    _, came, said = read(path, caplog, start=1.2)
    assert came > 0
    assert "it is cut off" in said


@pytest.mark.parametrize("beyond", [4, 9, 20, 80])
@pytest.mark.parametrize("fragment", [1, 3, 4])
@pytest.mark.parametrize("flags", ["frag_keyframe", FRAGMENTS])
def test_an_mp4_cut_within_a_fragments_head_is_read_as_far_as_it_goes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, flags: str, fragment: int, beyond: int
) -> None:
    path = write(tmp_path / "x.mp4", movflags=flags)
    data = path.read_bytes()
    place = -4
    for _ in range(fragment + (flags == FRAGMENTS)):  # without an empty moov the first fragment has no head
        place = data.index(b"moof", place + 5)
    _, came, said = read(cut(path, place - 4 + beyond), caplog)
    assert came == 10 * fragment
    assert said.endswith("it is cut off") if beyond > 8 else True  # so little may as well be a careless writer
    with open_source(path, start=10 * fragment / 25 - 0.2) as source:
        assert len(list(source)) == 5


def test_an_mp4_whose_index_never_came(tmp_path: Path) -> None:
    path = cut(write(tmp_path / "x.mp4"), 0.5)
    with pytest.raises(SourceError, match=r"x.mp4: it was cut off before its index \(moov\) was written; repair it"):
        open_source(path)


def test_an_mp4_whose_index_is_damaged_is_not_called_cut_off(tmp_path: Path) -> None:
    path = write(tmp_path / "x.mp4", movflags="faststart")
    data = bytearray(path.read_bytes())
    place = data.index(b"moov") + 4
    data[place : place + 400] = bytes(400)
    path.write_bytes(data)
    with pytest.raises(SourceError) as caught:
        open_source(path)
    assert "before its index" not in str(caught.value)


def test_a_file_that_goes_after_its_last_frame_has_no_ending_to_look_at(tmp_path, caplog):
    clip = write_clip(tmp_path / "a.mkv", pictures(5))
    with open_source(clip, prefetch=0) as source:
        for frame in source:
            if frame.index == 4:
                clip.unlink()
    assert not caplog.messages
