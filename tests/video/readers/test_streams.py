"""Video from standard input and from the network (of this machine)."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from bgsub.errors import SourceError
from bgsub.video.opening import open_source
from bgsub.video.readers import demuxing
from tests.video.clips import pictures, smooth_pictures, write_clip

pytestmark = pytest.mark.slow

READ_STDIN = """
from bgsub.errors import BgsubError
from bgsub.video.opening import open_source
try:
    with open_source("-") as source:
        print(source.info.name, source.info.live, source.repeatable, source.info.frame_count)
        print(*(frame.index for frame in source))
except BgsubError as error:
    print(error)
"""


def read_stdin(**options: object) -> list[str]:
    """Lines printed by a process that reads a video from its standard input."""
    done = subprocess.run(
        [sys.executable, "-c", READ_STDIN], capture_output=True, text=True, timeout=60, check=False, **options
    )  # type: ignore[call-overload]
    assert done.stderr == ""
    return done.stdout.splitlines()


def stream(path: Path, count: int = 10) -> Path:
    return write_clip(path, smooth_pictures(count), codec="mpeg2video", pix_fmt="yuv420p", options={"bf": "0"})


@pytest.mark.parametrize("name", ["x.avi", "x.ts", "x.mkv"])
def test_standard_input(tmp_path: Path, name: str) -> None:
    path = write_clip(tmp_path / name, smooth_pictures(10), codec="mpeg4", pix_fmt="yuv420p")
    process = subprocess.Popen(
        [sys.executable, "-c", READ_STDIN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=False
    )
    output, _ = process.communicate(path.read_bytes(), timeout=60)
    assert output.decode().splitlines() == ["stdin False False None", "0 1 2 3 4 5 6 7 8 9"]


def test_standard_input_that_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    path.write_bytes(b"nothing\n" * 99)
    with path.open("rb") as file:
        (line,) = read_stdin(stdin=file)
    assert line.startswith("cannot open standard input: ")


def test_standard_input_that_is_empty() -> None:
    (line,) = read_stdin(stdin=subprocess.DEVNULL)
    assert line.startswith("cannot open standard input: ")


def test_playlist_on_standard_input_opens_no_file(tmp_path: Path) -> None:
    stream(tmp_path / "other.ts")
    path = tmp_path / "list"
    path.write_text("ffconcat version 1.0\nfile other.ts\n")
    with path.open("rb") as file:
        (line,) = read_stdin(stdin=file, cwd=tmp_path)
    assert line.startswith("cannot open standard input: ")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_standard_input_that_is_a_terminal() -> None:
    terminal, other = os.openpty()
    try:
        assert read_stdin(stdin=other) == ["cannot open standard input: it is a terminal; pipe a video into it"]
    finally:
        os.close(terminal)
        os.close(other)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes of this kind")
def test_named_pipe(tmp_path: Path) -> None:
    path = stream(tmp_path / "x.ts")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(path.read_bytes()), daemon=True)
    writer.start()
    with open_source(pipe) as source:
        assert not source.repeatable
        assert [frame.index for frame in source] == list(range(10))
    writer.join(5)


def _piped_mp4(path: Path, movflags: str) -> list[str]:
    """What comes of an mp4 larger than FFmpeg's buffers that is piped to standard input."""
    with av.open(str(path), "w", container_options={"movflags": movflags} if movflags else {}) as container:
        video = container.add_stream("mpeg4", rate=25)
        video.width, video.height, video.pix_fmt, video.codec_context.bit_rate = 320, 240, "yuv420p", 90_000_000
        for image in pictures(20, 320, 240):
            container.mux(video.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(video.encode())
    process = subprocess.Popen([sys.executable, "-c", READ_STDIN], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    output, _ = process.communicate(path.read_bytes(), timeout=60)
    return output.decode().splitlines()


def test_an_mp4_is_piped_with_its_index_at_its_front(tmp_path: Path) -> None:
    numbers = " ".join(str(index) for index in range(20))
    assert _piped_mp4(tmp_path / "x.mp4", "faststart") == ["stdin False False None", numbers]
    assert _piped_mp4(tmp_path / "x.mp4", "frag_keyframe+empty_moov") == ["stdin False False None", numbers]


def test_an_mp4_that_cannot_be_piped_says_what_to_do(tmp_path: Path) -> None:
    assert _piped_mp4(tmp_path / "x.mp4", "") == [
        "cannot open standard input: an MP4 can be piped only with its index at its front (ffmpeg -movflags "
        "+faststart); give the file's name, or pipe mkv or mpegts"
    ]


@pytest.mark.parametrize("prefetch", [0, 100])
def test_network_stream_that_hangs_up(tmp_path: Path, serve: Callable[..., str], prefetch: int) -> None:
    url = serve(stream(tmp_path / "x.ts").read_bytes())
    frames = []
    with open_source(url, prefetch=prefetch) as source:
        assert source.info.live
        assert not source.repeatable
        with pytest.raises(SourceError, match=rf"{url} broke off after 10 frames: the sender closed it; check"):
            frames.extend(source)
    assert [frame.index for frame in frames] == list(range(10))


@pytest.mark.parametrize("prefetch", [0, 100])
def test_network_stream_that_falls_silent(
    tmp_path: Path, serve: Callable[..., str], prefetch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demuxing, "NETWORK_TIMEOUT", 0.5)
    url = serve(stream(tmp_path / "x.ts").read_bytes(), silent=True)
    frames = []
    with (
        open_source(url, prefetch=prefetch) as source,
        pytest.raises(SourceError, match=rf"{url} broke off after \d+ frames: nothing came for 0.5 s; check"),
    ):
        frames.extend(source)
    # What the sender had sent in full was delivered before.
    assert [frame.index for frame in frames][:8] == list(range(8))


def test_a_live_stream_may_be_left_before_it_ends(tmp_path: Path, serve: Callable[..., str]) -> None:
    url = serve(stream(tmp_path / "x.ts").read_bytes())
    with open_source(url, prefetch=0, end=0.2) as source:
        assert [frame.index for frame in source] == [0, 1, 2, 3, 4]


def test_network_source_that_does_not_answer(serve: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demuxing, "NETWORK_TIMEOUT", 0.3)
    url = serve(b"", silent=True)
    with pytest.raises(SourceError, match=rf"cannot open {url}: no answer within 0.3 s; check"):
        open_source(url)


def test_playlist_from_the_network_opens_no_local_file(tmp_path: Path, serve: Callable[..., str]) -> None:
    path = stream(tmp_path / "secret.ts")
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:{path}\n#EXT-X-ENDLIST\n".encode()
    url = serve(playlist) + "/live.m3u8"
    with av.open(url) as container:
        assert len(list(container.decode(video=0))) == 10, "the attack is not one any more"
    url = serve(playlist) + "/live.m3u8"
    with pytest.raises(SourceError, match=f"cannot open {url}"):
        open_source(url)


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(SourceError, match=f"cannot open tcp://127.0.0.1:{port}: .*refused; check the address"):
        open_source(f"tcp://127.0.0.1:{port}")


def test_file_url(tmp_path: Path) -> None:
    path = stream(tmp_path / "a b.ts")
    with open_source(path.as_uri()) as source:
        assert source.info.name == "a b"
        assert len(list(source)) == 10
