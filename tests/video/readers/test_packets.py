"""Encoded packets: their order, their times, and what a copy of them shows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from bgsub.errors import SourceError
from bgsub.video.frame import Frame
from bgsub.video.opening import open_source
from bgsub.video.readers.packets import Packet, PacketSource, open_packets
from tests.video.clips import packet_places, silence, smooth_pictures, write_clip

COUNT = 20
B_FRAMES = {"codec": "libx264", "pix_fmt": "yuv420p", "options": {"x264-params": "bframes=3:b-adapt=0:scenecut=0"}}
PLAIN = {"codec": "mpeg4", "pix_fmt": "yuv420p"}
CLIPS = {
    "b-frames.mp4": B_FRAMES,
    "b-frames.mkv": B_FRAMES,
    "b-frames.ts": B_FRAMES,
    "plain.mp4": PLAIN,
    "plain.avi": PLAIN,
    "lossless.mkv": {"codec": "ffv1", "pix_fmt": "bgr0"},
}


@pytest.fixture(params=CLIPS)
def clip(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A clip with a keyframe at every fifth frame."""
    return write_clip(tmp_path / request.param, smooth_pictures(COUNT), gop=5, **CLIPS[request.param])


def frames_of(path: Path) -> list[Frame]:
    with open_source(path, prefetch=0) as source:
        return list(source)


def copy(source: PacketSource, packets: Iterable[Packet], path: Path) -> Path:
    """Write packets into another container without decoding them."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream_from_template(source.stream)
        for packet in packets:
            packet.data.stream = stream
            container.mux(packet.data)
    return path


def test_packets_come_in_decoding_order_with_the_times_of_their_pictures(clip: Path) -> None:
    with open_packets(clip) as source:
        packets = list(source)
        assert source.count == COUNT
    assert [packet.index for packet in packets] == list(range(COUNT))
    assert [packet.data.size for packet in packets] == [size for _, size in packet_places(clip)]
    decoding_times = [packet.data.dts for packet in packets if packet.data.dts is not None]  # Matroska knows few
    assert len(decoding_times) >= COUNT - 2
    assert all(earlier < later for earlier, later in itertools.pairwise(decoding_times))
    times = [packet.time for packet in packets if packet.time is not None]
    assert (times == sorted(times)) == (not clip.name.startswith("b-frames"))
    assert sorted(times) == [frame.time for frame in frames_of(clip)]


def test_keyframes_are_marked(clip: Path) -> None:
    with open_packets(clip) as source:
        marked = [packet.index for packet in source if packet.keyframe]
    assert marked == [0, 5, 10, 15]


def test_what_is_known_before_the_first_packet(clip: Path) -> None:
    with open_packets(clip) as source, open_source(clip, prefetch=0) as frames:
        assert (source.name, source.codec, source.fps) == (frames.info.name, frames.info.codec, frames.info.fps)
        assert (source.live, source.repeatable) == (frames.info.live, frames.repeatable) == (False, True)
        assert type(source.time_base) is Fraction
        assert source.time_base == frames.info.time_base
        assert source.count == 0


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_a_copy_shows_the_same_frames_at_the_same_times(clip: Path, suffix: str, tmp_path: Path) -> None:
    if (clip.name, suffix) == ("lossless.mkv", ".mp4"):
        pytest.skip("MP4 has no FFV1")
    with open_packets(clip) as source:
        copied = copy(source, source, tmp_path / f"copy{suffix}")
    originals, copies = frames_of(clip), frames_of(copied)
    assert [frame.time for frame in copies] == pytest.approx([frame.time for frame in originals])
    for original, frame in zip(originals, copies, strict=True):
        np.testing.assert_array_equal(frame.image, original.image)


def test_a_copy_may_begin_at_any_keyframe(clip: Path, tmp_path: Path) -> None:
    with open_packets(clip) as source:
        packets = list(source)
        begin = [packet.index for packet in packets if packet.keyframe][-1]
        copied = copy(source, packets[begin:], tmp_path / "copy.mkv")
    later = [frame for frame in frames_of(clip) if frame.index >= begin]
    for original, frame in zip(later, frames_of(copied), strict=True):
        np.testing.assert_array_equal(frame.image, original.image)


def test_a_seek_goes_on_at_a_keyframe(clip: Path) -> None:
    if clip.suffix == ".ts":
        pytest.skip("MPEG-TS has no index: FFmpeg leads near the place")
    with open_packets(clip) as source:
        packets = list(source)
        wanted = packets[12].data.pts
        assert wanted is not None
        source.seek(wanted)
        landed = next(iter(source))
    assert landed.index == COUNT
    assert landed.data.pts is not None
    assert landed.data.pts <= wanted
    assert landed.time in [packet.time for packet in packets if packet.keyframe]


def test_a_raw_stream_has_no_times(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "x.h264", smooth_pictures(COUNT), container_format="h264", **B_FRAMES)
    with open_packets(path) as source:
        assert [packet.time for packet in source] == [None] * COUNT


def test_sound_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "x.mkv"
    with av.open(str(path), "w") as container:
        video, audio = container.add_stream("mpeg4", rate=25), container.add_stream("pcm_s16le", rate=8000)
        video.width, video.height, video.pix_fmt, audio.layout = 32, 24, "yuv420p", "mono"
        for image in smooth_pictures(5):
            container.mux(video.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
            container.mux(audio.encode(silence()))
        container.mux(video.encode())
        container.mux(audio.encode())
    with open_packets(path) as source:
        assert [packet.data.stream.type for packet in source] == ["video"] * 5


def test_an_interrupted_loop_goes_on_where_it_stopped(clip: Path) -> None:
    with open_packets(clip) as source:
        first = list(itertools.islice(source, 3))
        assert [packet.index for packet in (*first, *source)] == list(range(COUNT))


def test_a_source_can_be_closed_early_and_twice(clip: Path) -> None:
    source = open_packets(clip)
    packets = iter(source)
    next(packets)
    source.close()
    source.close()
    assert list(packets) == []
    assert list(source) == []


def test_what_cannot_be_opened_is_said_as_by_open_source(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no video")
    (tmp_path / "empty.mp4").touch()
    for name in ("notes.txt", "empty.mp4", "gone.mp4", ""):
        with pytest.raises(SourceError, match="cannot open ") as error:
            open_packets(tmp_path / name)
        assert str(tmp_path / name) in str(error.value)
        assert len(str(error.value).splitlines()) == 1


def test_a_network_stream_that_hangs_up(tmp_path: Path, serve: Callable[..., str]) -> None:
    clip = write_clip(tmp_path / "x.ts", smooth_pictures(10), codec="mpeg2video", pix_fmt="yuv420p")
    url = serve(clip.read_bytes())
    packets = []
    with open_packets(url) as source:
        assert source.live
        assert not source.repeatable
        with pytest.raises(SourceError, match=rf"{url} broke off after 10 packets: the sender closed it; check the"):
            packets.extend(source)
    assert [packet.index for packet in packets] == list(range(10))
    assert source.broken.startswith("the sender closed it")
