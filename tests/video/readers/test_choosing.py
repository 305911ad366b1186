"""Which stream of a container is read: the best one, or the one that is asked for."""

from __future__ import annotations

import http.server
import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from bgsub.errors import ParameterError, SourceError
from bgsub.video.opening import open_source, probe
from bgsub.video.readers.packets import open_packets
from tests.video.clips import pictures, smooth_pictures


@dataclass
class Track:
    """A stream of video to write: its size, number of frames, marks and codec."""

    width: int
    height: int
    frames: int
    disposition: int = 0
    codec: str = "mpeg4"
    rate: int = 25
    pix_fmt: str = "yuv420p"
    written: list[av.Packet] = field(default_factory=list)


def write_tracks(path: Path, *tracks: Track | None) -> Path:
    """Write streams into one container, in their order; None is a stream of sound."""
    with av.open(str(path), "w") as container:
        streams = []
        for track in tracks:
            if track is None:
                streams.append(container.add_stream("mp2" if path.suffix == ".ts" else "aac", rate=48000))
                continue
            stream = container.add_stream(track.codec, rate=track.rate)
            stream.width, stream.height, stream.pix_fmt = track.width, track.height, track.pix_fmt
            stream.codec_context.bit_rate = 400_000
            streams.append(stream)
        for stream, track in zip(streams, tracks, strict=True):
            stream.disposition = track.disposition if track else 0
        for stream, track in zip(streams, tracks, strict=True):
            if track is None:
                continue
            for index, image in enumerate(smooth_pictures(track.frames, track.width, track.height)):
                frame = av.VideoFrame.from_ndarray(image, format="bgr24")
                frame.pts, frame.time_base = index, Fraction(1, track.rate)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
    return path


DEFAULT = Disposition.default.value
PREVIEW = Track(32, 24, 4, rate=5)
THUMBNAILS = Track(32, 24, 3, codec="mjpeg", pix_fmt="yuvj420p", rate=1)
MAIN = Track(64, 48, 10)
PARTS = 5


def read(path: Path, **options: int) -> tuple[int, int, int]:
    """Width, height and number of the frames that are read."""
    with open_source(path, **options) as source:  # type: ignore[arg-type]
        frames = list(source)
    assert {frame.image.shape[:2] for frame in frames} == {(source.info.height, source.info.width)}
    return source.info.width, source.info.height, len(frames)


@pytest.mark.parametrize("name", ["x.mp4", "x.mkv", "x.ts", "x.avi", "x.mov", "x.nut"])
def test_a_preview_before_the_video_is_passed_over(tmp_path: Path, name: str) -> None:
    # MP4 calls the first the default where nothing else is called so.
    main = Track(64, 48, 10, DEFAULT if name in ("x.mp4", "x.mov") else 0)
    assert read(write_tracks(tmp_path / name, PREVIEW, main)) == (64, 48, 10)


@pytest.mark.parametrize("name", ["x.mp4", "x.mkv", "x.mov"])
def test_thumbnails_before_the_video_are_passed_over(tmp_path: Path, name: str) -> None:
    assert read(write_tracks(tmp_path / name, THUMBNAILS, MAIN)) == (64, 48, 10)


def test_images_may_be_the_video(tmp_path: Path) -> None:
    images = Track(64, 48, 10, codec="mjpeg", pix_fmt="yuvj420p")
    assert read(write_tracks(tmp_path / "x.mkv", PREVIEW, images)) == (64, 48, 10)


def test_the_default_is_rather_taken_than_a_larger_one(tmp_path: Path) -> None:
    main = Track(64, 48, 10, DEFAULT)
    larger = Track(96, 64, 10)
    assert read(write_tracks(tmp_path / "x.mkv", larger, main)) == (64, 48, 10)


def test_a_still_is_not_taken_for_the_video(tmp_path: Path) -> None:
    """As in an AVIF: the first picture stands alone before the animation."""
    still = Track(96, 64, 1, DEFAULT)
    assert read(write_tracks(tmp_path / "x.mp4", still, MAIN)) == (64, 48, 10)


def test_a_cover_is_no_video(tmp_path: Path) -> None:
    cover = Track(320, 240, 1, Disposition.attached_pic.value, "mjpeg", pix_fmt="yuvj420p")
    path = write_tracks(tmp_path / "x.mp4", cover, MAIN)
    assert read(path) == (64, 48, 10)
    with pytest.raises(SourceError, match=r"x.mp4: its stream 1 is a cover picture; its streams of video are: 0$"):
        open_source(path, stream=1)


def test_the_first_of_equals(tmp_path: Path) -> None:
    path = write_tracks(tmp_path / "x.mkv", MAIN, Track(64, 48, 7))
    assert read(path) == (64, 48, 10)


@pytest.mark.parametrize(("number", "expected"), [(0, (32, 24, 4)), (1, (64, 48, 10)), (2, (96, 64, 6))])
def test_a_stream_may_be_asked_for(tmp_path: Path, number: int, expected: tuple[int, int, int]) -> None:
    path = write_tracks(tmp_path / "x.mkv", PREVIEW, MAIN, Track(96, 64, 6))
    assert read(path, stream=number) == expected
    with open_packets(path, stream=number) as packets:
        assert len(list(packets)) == expected[2]
    assert probe(path, stream=number)["stream"] == number


def test_a_stream_may_be_asked_for_with_a_late_start(tmp_path: Path) -> None:
    path = write_tracks(tmp_path / "x.mp4", Track(32, 24, 50, rate=10), Track(64, 48, 50, rate=10))
    with open_source(path, stream=0, start=4) as source:
        assert [(frame.index, frame.image.shape) for frame in source] == [(i, (24, 32, 3)) for i in range(40, 50)]


@pytest.mark.parametrize(
    ("number", "message"),
    [(1, r"its stream 1 is audio; its streams of video are: 0, 2$"), (7, r"it has no stream 7; its streams of video")],
)
def test_a_stream_that_is_not_there(tmp_path: Path, number: int, message: str) -> None:
    path = write_tracks(tmp_path / "x.mkv", PREVIEW, None, MAIN)
    with pytest.raises(SourceError, match=message):
        open_source(path, stream=number)


@pytest.mark.parametrize("number", [-1, 0.5])
def test_the_number_of_a_stream_is_a_whole_one(tmp_path: Path, number: float) -> None:
    with pytest.raises(ParameterError, match=f"stream={number} is out of bounds; give the number of a stream, from 0"):
        open_source(tmp_path, stream=number)  # type: ignore[arg-type]


def test_images_have_no_streams(tmp_path: Path) -> None:
    import cv2

    cv2.imwrite(str(tmp_path / "a.png"), pictures(1)[0])
    with pytest.raises(ParameterError, match=r"stream=1 does not fit .*: only videos hold several; leave it out"):
        open_source(tmp_path, stream=1)


def test_all_streams_are_listed(tmp_path: Path) -> None:
    told = probe(write_tracks(tmp_path / "x.mkv", PREVIEW, None, Track(64, 48, 10, DEFAULT)))
    assert told["stream"] == 2
    video = {"type": "video", "codec": "mpeg4", "cover": False}
    assert told["streams"] == [
        {"index": 0, "default": False, "width": 32, "height": 24, "fps": 5.0, **video},
        {"index": 1, "type": "audio", "codec": "aac", "default": False},
        {"index": 2, "default": True, "width": 64, "height": 48, "fps": 25.0, **video},
    ]


def test_the_largest_variant_of_a_network_stream_is_taken(variants: tuple[str, list[str]]) -> None:
    url, asked = variants
    with open_source(url) as source:
        assert (source.info.width, source.info.height) == (64, 48)
        assert len(list(source)) == PARTS * 12
    assert f"large{PARTS - 1}.ts" in asked
    if hasattr(av.stream, "Discard"):  # of the others only what it takes to know them is fetched
        assert f"small{PARTS - 1}.ts" not in asked


@pytest.fixture
def variants(tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    """An HLS master with a small variant and a large one, of parts, served; and what was asked for."""
    for name, (width, height) in {"small": (32, 24), "large": (64, 48)}.items():
        lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:1", "#EXT-X-PLAYLIST-TYPE:VOD"]
        for part in range(PARTS):
            _write_part(tmp_path / f"{name}{part}.ts", width, height, part * 12)
            lines += ["#EXTINF:0.48,", f"{name}{part}.ts"]
        (tmp_path / f"{name}.m3u8").write_text("\n".join([*lines, "#EXT-X-ENDLIST", ""]))
    entries = [f"#EXT-X-STREAM-INF:BANDWIDTH={b}\n{name}.m3u8" for name, b in (("small", 9000), ("large", 99000))]
    (tmp_path / "master.m3u8").write_text("\n".join(["#EXTM3U", *entries, ""]))
    asked: list[str] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(tmp_path))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            asked.append(self.path[1:])

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/master.m3u8", asked
        server.shutdown()


def _write_part(path: Path, width: int, height: int, first: int) -> None:
    with av.open(str(path), "w", format="mpegts") as container:
        stream = container.add_stream("mpeg2video", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.max_b_frames = 0
        for index, image in enumerate(smooth_pictures(12, width, height)):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = first + index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def test_a_stream_that_appears_while_the_file_is_read(tmp_path: Path) -> None:
    """A camera that adds its sound later: nothing of the video is lost."""
    parts = []
    for sound in (False, True):
        part = io.BytesIO()
        with av.open(part, "w", format="mpegts") as container:
            video = container.add_stream("mpeg2video", rate=25)
            video.width, video.height, video.pix_fmt = 32, 24, "yuv420p"
            audio = container.add_stream("mp2", rate=16000, layout="mono") if sound else None
            for index, image in enumerate(smooth_pictures(25)):
                frame = av.VideoFrame.from_ndarray(image, format="bgr24")
                frame.pts, frame.time_base = index + 25 * sound, Fraction(1, 25)
                container.mux(video.encode(frame))
                if audio is not None:
                    sound_frame = av.AudioFrame.from_ndarray(np.zeros((1, 1152), np.int16), format="s16", layout="mono")
                    sound_frame.sample_rate = 16000
                    container.mux(audio.encode(sound_frame))
            container.mux(video.encode())
        parts.append(part.getvalue())
    path = tmp_path / "x.ts"
    path.write_bytes(b"".join([parts[0] * 6, parts[1]]))
    with open_source(path) as source:
        assert len(list(source)) == 7 * 25
