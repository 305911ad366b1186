"""An RTSP camera of GStreamer's: switched off and on, frozen, changed; its clips play."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import pytest

from bgsub.video.live.pictures import LivePicture
from bgsub.video.live.source import LiveSource
from bgsub.video.readers.reconnecting import Patience
from tests.rtsp import RtspServer, launch_line
from tests.video.live.test_source import PATIENCE_S, finished, for_seconds, looked_at, packets_of

pytestmark = [pytest.mark.slow, pytest.mark.needs_system]
IMPATIENT = Patience(silence=2.0, first_delay=0.2, longest_delay=0.4)
SMALL = {"width": 160, "height": 96}


@pytest.fixture
def server() -> Iterator[RtspServer]:
    with RtspServer(launch_line(**SMALL)) as started:
        yield started


def watched(server: RtspServer, **options: object) -> LiveSource:
    return LiveSource(server.url, shrink=1, enough=12, patience=IMPATIENT, **options)  # type: ignore[arg-type]


def after_a_gap(seen: list[LivePicture]) -> bool:
    return seen[-1].gap > 0


def waits_for(source: LiveSource, state: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    for _ in source:
        if source.state == state:
            return
        assert time.monotonic() < deadline, f"{source.state}: {source.why}"


def test_a_camera_that_was_off_is_back_and_its_clip_goes_on_after_the_gap(server: RtspServer, tmp_path: Path) -> None:
    with watched(server) as source:
        before = looked_at(source, for_seconds(1.5))
        clip = source.open_clip(tmp_path / "x.mp4", before[-1].time)
        looked_at(source, for_seconds(0.5))
        server.kill()
        waits_for(source, "lost")
        assert re.search(r"closed the connection|refused", source.why or "")
        server.start()
        again = looked_at(source, after_a_gap)
        assert again[-1].gap == pytest.approx(again[-1].time - last_before(before, again), abs=2)
        assert again[-1].time == pytest.approx(time.monotonic(), abs=3)
        after = looked_at(source, for_seconds(1.0))
        assert (source.state, source.why, source.reconnects) == ("live", None, 1)
        clip.close(until=after[-1].time)
        finished(clip)
    assert clip.gap > 0
    with av.open(str(tmp_path / "x.mp4")) as container:
        pictures = [frame for frame in container.decode(video=0) if not frame.is_corrupt]
    assert len(pictures) == clip.pictures
    times = [float(frame.time) for frame in pictures]
    assert max(b - a for a, b in itertools.pairwise(times)) == pytest.approx(clip.gap, abs=1.0)
    sound = [float(packet.pts * packet.time_base) for packet in packets_of(tmp_path / "x.mp4", "audio")]
    assert abs(sound[-1] - times[-1]) < 0.5


def last_before(before: list[LivePicture], again: list[LivePicture]) -> float:
    return max(picture.time for picture in [*before, *again[:-1]])


def test_a_camera_that_freezes_is_noticed_and_one_that_goes_on_is_back(server: RtspServer) -> None:
    with watched(server) as source:
        looked_at(source, for_seconds(0.5))
        server.stop()
        waits_for(source, "lost")
        assert re.search("gave no picture for 2 s|nothing came for 2 s", source.why or "")
        server.cont()
        gap = looked_at(source, after_a_gap)[-1].gap
        assert gap > 1.5


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"width": 320, "height": 192}, "from 160x96 h264 with aac to 320x192 h264 with aac"),
        ({**SMALL, "codec": "h265", "sound": "alaw"}, "from 160x96 h264 with aac to 160x96 hevc with pcm_alaw"),
    ],
)
def test_a_camera_that_changes_ends_a_clip_and_begins_another(
    server: RtspServer, tmp_path: Path, change: dict[str, object], told: str
) -> None:
    with watched(server) as source:
        clip = source.open_clip(tmp_path / "old.mp4", looked_at(source, for_seconds(1.0))[-1].time)
        looked_at(source, for_seconds(0.4))
        server.kill()
        server.start(launch_line(**change))  # type: ignore[arg-type]
        looked_at(source, after_a_gap)
        assert clip.wait(PATIENCE_S)
        assert (clip.why, clip.error) == (f"the camera changed {told}", None)
        assert source.info is not None
        assert (source.info.width, source.info.height) == (change["width"], change["height"])
        since = looked_at(source, for_seconds(1.0))[-1].time
        other = source.open_clip(tmp_path / "new.mp4", since)
        other.close(until=since + 1.0)
        finished(other)
    for name in ("old", "new"):
        with av.open(str(tmp_path / f"{name}.mp4")) as container:
            frames = [frame for frame in container.decode(video=0) if not frame.is_corrupt]
            assert len(frames) > 5
            wanted = "hvc1" if change.get("codec") == "h265" and name == "new" else "avc1"
            assert container.streams.video[0].codec_context.codec_tag == wanted
            sounds = [stream.codec_context.name for stream in container.streams.audio]
            assert sounds == ["aac"]


def test_the_main_stream_is_recorded_by_the_times_of_the_small_one(tmp_path: Path) -> None:
    """Both show the same moment, as far as their network is equally fast."""
    more = {"sub": launch_line(96, 64, rate=10, sound=None)}
    with (
        RtspServer(launch_line(**SMALL), **more) as server,
        LiveSource(server.url, pictures=False, patience=IMPATIENT) as main,
        LiveSource(server.address("sub"), patience=IMPATIENT) as small,
    ):
        reach(main, lambda: main.state == "live")
        since = looked_at(small, for_seconds(1.5))[-1].time
        clip = main.open_clip(tmp_path / "x.mp4", since)
        clip.close(until=since + 1.0)
        finished(clip)
    assert clip.start is not None
    assert clip.end is not None
    assert since - 1.5 < clip.start <= since
    assert clip.end == pytest.approx(since + 1.0, abs=0.2)


def reach(source: LiveSource, there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not there():
        assert time.monotonic() < deadline, f"{source.state}: {source.why}"
        time.sleep(0.05)
