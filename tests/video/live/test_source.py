"""A live source: pictures that rise in time, and clips that hold the camera's packets bit for bit."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from bgsub.errors import SourceError
from bgsub.video.live.clips import PacketClip
from bgsub.video.live.pictures import LivePicture
from bgsub.video.live.source import LiveSource
from tests.video.live.conftest import COUNT, GOP, write_camera_file
from tests.video.readers.test_container import set_mp4_rotation

pytestmark = pytest.mark.slow
PATIENCE_S = 30.0


def looked_at(source: LiveSource, until: Callable[[list[LivePicture]], bool]) -> list[LivePicture]:
    """Take pictures until what is seen is enough."""
    seen: list[LivePicture] = []
    deadline = time.monotonic() + PATIENCE_S
    for picture in source:
        assert time.monotonic() < deadline, f"{source.state}: {source.why}"
        if picture is not None:
            seen.append(picture)
            if until(seen):
                return seen
    raise AssertionError("the source was closed")


def for_seconds(seconds: float) -> Callable[[list[LivePicture]], bool]:
    return lambda seen: seen[-1].time - seen[0].time >= seconds


def packets_of(path: Path, kind: str = "video") -> list[av.Packet]:
    with av.open(str(path)) as container:
        return [packet for packet in container.demux(container.streams.get({kind: 0})) if packet.size]


def finished(clip: PacketClip) -> PacketClip:
    assert clip.wait(PATIENCE_S)
    assert (clip.error, clip.why) == (None, None)
    return clip


@pytest.fixture(scope="module")
def recorded(camera_file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, PacketClip, float]:
    """A clip that goes over the end of the file, asked for from a second before now on."""
    path = tmp_path_factory.mktemp("recorded") / "new" / "clip.mp4"
    with LiveSource(camera_file, loop=True, shrink=1, enough=12) as source:
        since = looked_at(source, for_seconds(1.8))[-1].time - 1.0
        clip = source.open_clip(path, since)
        clip.close(until=looked_at(source, for_seconds(1.6))[-1].time)
        return path, finished(clip), since


def test_pictures_are_small_grey_thinned_and_rise_in_time(camera_file: Path) -> None:
    with LiveSource(camera_file, loop=True, shrink=2, enough=12) as source:
        seen = looked_at(source, for_seconds(2.5))
        assert source.info is not None
        assert (source.info.width, source.info.height, source.info.source_size) == (48, 32, (96, 64))
        assert (source.state, source.why, source.reconnects, source.damaged) == ("live", None, 0, 0)
    assert all(picture.image.shape == (32, 48) and picture.image.dtype == np.uint8 for picture in seen)
    steps = np.diff([picture.time for picture in seen])
    assert steps.min() > 0
    assert np.median(steps) == pytest.approx(0.08, abs=1e-3)
    assert all(picture.gap == 0 for picture in seen)
    moments = [picture.moment for picture in seen]
    assert moments == sorted(moments)
    assert moments[0].utcoffset() is not None
    assert (moments[-1] - moments[0]).total_seconds() == pytest.approx(seen[-1].time - seen[0].time, abs=0.01)
    color = seen[0].color()
    assert color.shape == (64, 96, 3)
    assert seen[0].color(width=48).shape == (32, 48, 3)
    assert color.mean() == pytest.approx(seen[0].image.mean(), abs=3)


def test_a_clip_holds_the_packets_of_the_camera_bit_for_bit(
    camera_file: Path, recorded: tuple[Path, PacketClip, float]
) -> None:
    sent = [bytes(packet) for packet in packets_of(camera_file)]
    path, clip, _ = recorded
    kept = packets_of(path)
    first = sent.index(bytes(kept[0]))
    assert [bytes(packet) for packet in kept] == [sent[(first + index) % COUNT] for index in range(len(kept))]
    assert len(kept) == clip.pictures
    assert len(kept) > COUNT - first  # over the end of the file
    assert kept[0].is_keyframe
    times = [float(packet.pts * packet.time_base) for packet in kept]
    assert times == pytest.approx([index / 25 for index in range(len(kept))], abs=1e-4)


def test_a_clip_begins_with_the_last_key_frame_before_it_is_asked_for(
    recorded: tuple[Path, PacketClip, float],
) -> None:
    _, clip, since = recorded
    assert clip.start is not None
    assert 0 <= since - clip.start < GOP / 25 + 0.05


def test_the_sound_of_a_clip_is_in_step_and_as_it_was(
    camera_file: Path, recorded: tuple[Path, PacketClip, float]
) -> None:
    sent = {bytes(packet): packet for packet in packets_of(camera_file, "audio")}
    path, clip, _ = recorded
    heard = packets_of(path, "audio")
    assert len(heard) > 10
    assert clip.start is not None
    assert clip.end is not None
    assert float(heard[-1].pts * heard[-1].time_base) == pytest.approx(clip.end - clip.start, abs=0.15)
    first = bytes(packets_of(path)[0])
    shown = next(p for p in packets_of(camera_file) if bytes(p) == first)
    early = Fraction(shown.pts) * shown.time_base
    for packet in heard[1:5]:
        was = sent[bytes(packet)]
        assert float(packet.pts * packet.time_base) == pytest.approx(float(was.pts * was.time_base - early), abs=0.07)


def test_painted_clips_show_what_was_painted_and_keep_the_sound(camera_file: Path, tmp_path: Path) -> None:
    times: list[float] = []

    def paint(image: np.ndarray, at: float) -> np.ndarray:
        times.append(at)
        image[:32] = 0
        return image

    with LiveSource(camera_file, loop=True) as source:
        since = looked_at(source, for_seconds(1.0))[-1].time
        clip = source.open_encoded_clip(tmp_path / "x.mp4", since - 0.5, paint)
        clip.close(until=looked_at(source, for_seconds(1.0))[-1].time)
        finished(clip)
    assert len(times) == clip.pictures
    assert times == sorted(times)
    with av.open(str(tmp_path / "x.mp4")) as container:
        images = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
        assert container.streams.audio[0].codec_context.name == "aac"
    assert len(images) == clip.pictures
    assert all(image[:30].max() < 10 and image[34:].min() > 20 for image in images)


@pytest.mark.parametrize("sound", ["pcm_alaw", None])
def test_telephone_sound_becomes_aac_and_silence_is_no_hindrance(tmp_path: Path, sound: str | None) -> None:
    file = write_camera_file(tmp_path / "camera.mkv", sound=None) if sound is None else tmp_path / "camera.mov"
    if sound:
        write_camera_file(file, sound=sound)
    with LiveSource(file, loop=True) as source:
        since = looked_at(source, for_seconds(0.5))[-1].time
        clip = source.open_clip(tmp_path / "x.mp4", since)
        clip.close(until=looked_at(source, for_seconds(1.0))[-1].time)
        finished(clip)
    with av.open(str(tmp_path / "x.mp4")) as container:
        assert [s.codec_context.name for s in container.streams] == (["h264", "aac"] if sound else ["h264"])
    assert len(packets_of(tmp_path / "x.mp4")) == clip.pictures


def test_segments_follow_each_other_without_a_picture_lost_or_doubled(camera_file: Path, tmp_path: Path) -> None:
    opened: list[PacketClip] = []
    closed: list[PacketClip] = []
    with LiveSource(camera_file, loop=True) as source:
        looked_at(source, for_seconds(0.2))
        segments = source.record(
            lambda at: tmp_path / f"{len(opened)}.mp4", 0.7, opened=opened.append, closed=closed.append
        )
        looked_at(source, lambda seen: len(closed) >= 3)
        segments.close()
    assert opened == closed
    sent = [bytes(packet) for packet in packets_of(camera_file)]
    kept = [bytes(packet) for clip in opened for packet in packets_of(finished(clip).path)]
    first = sent.index(kept[0])
    assert kept == [sent[(first + index) % COUNT] for index in range(len(kept))]
    assert [clip.pictures for clip in opened[:3]] == [2 * GOP] * 3


def test_packets_alone_are_kept_without_decoding(camera_file: Path, tmp_path: Path) -> None:
    with LiveSource(camera_file, loop=True, pictures=False) as source:
        deadline = time.monotonic() + PATIENCE_S
        while source.state != "live" and time.monotonic() < deadline:
            time.sleep(0.05)
        now = time.monotonic()
        clip = source.open_clip(tmp_path / "x.mp4", now)
        clip.close(until=now + 0.5)
        finished(clip)
    assert len(packets_of(tmp_path / "x.mp4")) == clip.pictures > 5


@pytest.mark.parametrize(
    ("location", "loop", "told"),
    [
        ("a.mp4", False, r"cannot watch a\.mp4: it is no camera; a file on this machine can be looped as one"),
        ("rtsp://u:p@host/x", True, r"cannot loop rtsp://host/x: only a file on this machine can be looped"),
        ("gopher://host/x", False, r"cannot watch gopher://host/x: it is no camera's address; give a URL of "),
        ("-", False, "cannot watch -: it is no camera's address"),
        ("https://www.youtube.com/watch?v=1", False, "it is a web page, not a camera"),
    ],
)
def test_what_can_never_be_a_camera_is_refused_at_once(location: str, loop: bool, told: str) -> None:
    with pytest.raises(SourceError, match=told):
        LiveSource(location, loop=loop)


def test_a_file_that_is_not_there_is_tried_again_and_told(tmp_path: Path) -> None:
    with LiveSource(tmp_path / "later.mp4", loop=True) as source:
        assert next(iter(source)) is None
        with pytest.raises(SourceError, match="it has not been reached yet"):
            source.open_clip(tmp_path / "x.mp4", 0.0)
        assert source.state == "lost"
        assert source.why == f"cannot open {tmp_path}/later.mp4: No such file or directory; check the path"
        write_camera_file(tmp_path / "later.mp4")
        looked_at(source, for_seconds(0.1))
        assert (source.state, source.why) == ("live", None)


def test_painted_clips_look_as_copied_ones_where_nothing_is_painted(tmp_path: Path) -> None:
    sample = Path(__file__).parents[3] / "sample_videos" / "street.mp4"  # with pictures that are not shown in order
    with LiveSource(sample, loop=True) as source:
        since = looked_at(source, for_seconds(0.5))[-1].time
        clips = [
            source.open_clip(tmp_path / "copied.mp4", since),
            source.open_encoded_clip(tmp_path / "painted.mp4", since, lambda image, at: image),
        ]
        until = time.monotonic() + 1.5  # what is written already stays
        for clip in clips:
            clip.close(until=until)
        looked_at(source, for_seconds(2.0))
        copied, painted = (decoded(finished(clip).path) for clip in clips)
    assert len(copied) == len(painted) > 20
    for one, other in zip(copied, painted, strict=True):
        assert np.abs(one.mean((0, 1)) - other.mean((0, 1))).max() < 1.5
        assert np.abs(one - other).mean() < 4


def test_a_turned_file_is_looked_at_and_recorded_upright(camera_file: Path, tmp_path: Path) -> None:
    data = bytearray(camera_file.read_bytes())
    set_mp4_rotation(data, 90)
    (tmp_path / "turned.mp4").write_bytes(data)
    with LiveSource(tmp_path / "turned.mp4", loop=True) as source:
        (*_, picture) = looked_at(source, for_seconds(0.5))
        assert source.info is not None
        assert (source.info.width, source.info.height) == (64, 96)
        assert picture.image.shape == picture.color().shape[:2] == (96, 64)
        clip = source.open_encoded_clip(tmp_path / "x.mp4", picture.time, lambda image, at: image)
        looked_at(source, for_seconds(0.5))
        clip.close()
        assert all(image.shape == (96, 64, 3) for image in decoded(finished(clip).path))
    assert clip.pictures > 5


def decoded(path: Path) -> list[np.ndarray]:
    """Pictures of a clip, BGR."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="bgr24").astype(float) for frame in container.decode(video=0)]
