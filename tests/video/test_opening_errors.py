"""Sources that cannot be opened, or break, and what is said of them."""

from __future__ import annotations

import http.server
import itertools
import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from av.container import InputContainer

from bgsub.errors import ParameterError, SourceError
from bgsub.video.addresses import is_video_site
from bgsub.video.opening import open_source
from bgsub.video.readers.demuxing import Input, open_input
from bgsub.video.readers.pictures import PictureConverter
from tests.video.clips import packet_places, pictures, silence, smooth_pictures, write_clip


def read(path: Path) -> tuple[list[int], int]:
    """Indices of the frames of a file, and the count of damaged ones."""
    with open_source(path) as source:
        return [frame.index for frame in source], source.damaged


def damage_packet(path: Path, number: int) -> Path:
    """Flip bytes in the whole of one packet."""
    position, size = packet_places(path)[number]
    data = bytearray(path.read_bytes())
    for place in range(position, position + size):
        data[place] ^= 0xA5
    path.write_bytes(data)
    return path


def refusal(source: object) -> str:
    """The one line that opening the source fails with."""
    with pytest.raises(SourceError) as caught:
        open_source(source)  # type: ignore[arg-type]
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "x.mp4"
    assert refusal(path) == f"cannot open {path}: no such file or folder; check the path"


@pytest.mark.parametrize("name", ["notes.txt", "notes.mp4", "notes"])
def test_text_is_not_a_video(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("Nothing to see here.\n" * 100)
    assert "not a video" in refusal(path)


def test_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "x.mp4"
    path.touch()
    assert "the file is empty" in refusal(path)


def test_sound_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        container.mux(stream.encode(silence()))
        container.mux(stream.encode())
    assert "it holds audio but no video" in refusal(path)


def test_no_frame_can_be_decoded(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "x.avi", smooth_pictures(4), codec="mjpeg", pix_fmt="yuvj420p")
    for number in range(4):
        damage_packet(path, number)
    assert "not one frame of it can be decoded" in refusal(path)


def test_mp4_without_its_index(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "x.mp4", pictures(8), codec="mpeg4", pix_fmt="yuv420p")
    path.write_bytes(path.read_bytes()[:4000])
    assert "cut off before its index (moov)" in refusal(path)


@pytest.mark.parametrize("name", ["page.html", "film.mp4"])
@pytest.mark.parametrize("begin", ["<!DOCTYPE html>", "\n\n<html lang=en>", "<!-- saved --><HTML>"])
def test_a_saved_web_page(tmp_path: Path, name: str, begin: str) -> None:
    path = tmp_path / name
    path.write_text(begin + "<head><title>A film</title></head><body>" + "text " * 500)
    assert refusal(path) == (
        f"cannot open {path}: it is a web page, not a video; download its video with a program for that (yt-dlp) and "
        "give the file"
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://www.youtube.com/watch?v=x",
        "https://youtu.be/x",
        "http://m.youtube.com/shorts/x",
        "https://vimeo.com/1",
        "https://user:secret@www.twitch.tv/videos/1",
    ],
)
def test_a_page_of_a_video_site(url: str) -> None:
    message = refusal(url)
    assert "it is a web page, not a video; download its video with a program for that (yt-dlp) and give" in message
    assert "secret" not in message


def test_other_sites_are_asked() -> None:
    for url in ("https://notyoutube.com/a", "https://youtube.com.example.org/", "https://video.twitch.tv/a.m3u8"):
        assert not is_video_site(url)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<!doctype html><html>" + b"text " * 900, "it is a web page, not a video; download its video"),
        (b"nothing " * 900, "check the address, and user and password if it needs them"),
    ],
)
@pytest.mark.parametrize("lengthy", [False, True])
def test_an_address_of_a_page(body: bytes, message: str, lengthy: bool) -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            if lengthy:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/watch"
        assert message in refusal(url)
        server.shutdown()


def test_unknown_protocol() -> None:
    message = refusal("gopher://host/video")
    assert "unknown protocol 'gopher'" in message
    assert "rtsp" in message


def test_password_is_not_shown() -> None:
    message = refusal("rtsp://me:s3cr@t@127.0.0.1:1/live?password=s3cret")
    assert message.startswith("cannot open rtsp://127.0.0.1:1/live:")


def test_negative_camera() -> None:
    assert "numbered from 0" in refusal(-1)


def test_path_with_a_null_byte() -> None:
    assert "null" in refusal("x\0.mp4")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{other}\n#EXT-X-ENDLIST\n"),
        ("list.mp4", "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{other}\n#EXT-X-ENDLIST\n"),
        ("list.ffconcat", "ffconcat version 1.0\nfile {other}\n"),
        ("list.avi", "ffconcat version 1.0\nfile {other}\n"),
        (
            "list.sdp",
            "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 33\n",
        ),
    ],
)
def test_playlist_opens_nothing_else(tmp_path: Path, name: str, text: str) -> None:
    other = write_clip(tmp_path / "other.ts", smooth_pictures(9), codec="mpeg2video", pix_fmt="yuv420p")
    path = tmp_path / name
    path.write_text(text.format(other=other.name))
    assert "it is a playlist, which is not followed" in refusal(path)


def test_playlist_would_be_followed_without_the_whitelist(tmp_path: Path) -> None:
    """The attack of the test above is real: FFmpeg left alone reads the other file."""
    write_clip(tmp_path / "other.ts", smooth_pictures(9), codec="mpeg2video", pix_fmt="yuv420p")
    path = tmp_path / "list.ffconcat"
    path.write_text("ffconcat version 1.0\nfile other.ts\n")
    with av.open(str(path)) as container:
        assert len(list(container.decode(video=0))) > 0


def test_pictures_beyond_the_limit_are_refused(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "x.avi", pictures(2), codec="rawvideo", pix_fmt="bgr24")
    data = bytearray(path.read_bytes())
    place = data.index(b"strf") + 8
    data[place + 4 : place + 12] = (12_000).to_bytes(4, "little") + (12_000).to_bytes(4, "little")
    path.write_bytes(data)
    message = refusal(path)
    assert "12000x12000 pixels" in message
    assert str(2**27) in message


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "name"),
    [
        ("mpeg4", "yuv420p", "x.avi"),
        ("libx264", "yuv420p", "x.mp4"),
        ("mjpeg", "yuvj420p", "x.avi"),
        ("ffv1", "yuv420p", "x.avi"),
    ],
)
def test_damaged_frame_is_counted_and_skipped(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, codec: str, pix_fmt: str, name: str
) -> None:
    options = {"bf": "0"} if codec == "libx264" else {}
    path = write_clip(tmp_path / name, smooth_pictures(20), codec=codec, pix_fmt=pix_fmt, options=options, gop=5)
    # The last frame before a keyframe, so that no other one depends on it.
    keyframes = [number for number, key in enumerate(keyframe_flags(path)) if key]
    damaged = next(number for number in keyframes if number > 8) - 1 if len(keyframes) > 2 else 9
    with caplog.at_level(logging.WARNING, logger="bgsub"):
        indices, count = read(damage_packet(path, damaged))
    assert count == 1
    assert indices == [index for index in range(20) if index != damaged]
    assert [record.getMessage() for record in caplog.records] == [
        f"{path}: frame {damaged} is damaged and is skipped; more like it are only counted"
    ]


def test_frame_that_is_only_half_decoded_is_damaged_too(tmp_path: Path) -> None:
    """The decoder patches the hole with a guess, and says so only in a flag."""
    path = write_clip(tmp_path / "x.avi", pictures(10), codec="mpeg4", pix_fmt="yuv420p", gop=5)
    position, size = packet_places(path)[4]
    data = bytearray(path.read_bytes())
    for place in range(position + size // 2, position + size // 2 + size // 4):
        data[place] ^= 0xA5
    path.write_bytes(data)
    with av.open(str(path)) as container:
        assert [frame.is_corrupt for frame in container.decode(video=0)] == [i == 4 for i in range(10)]
    assert read(path) == ([0, 1, 2, 3, 5, 6, 7, 8, 9], 1)


def test_many_damaged_frames_are_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_clip(tmp_path / "x.avi", smooth_pictures(20), codec="mjpeg", pix_fmt="yuvj420p")
    for number in (3, 4, 11):
        damage_packet(path, number)
    with caplog.at_level(logging.WARNING, logger="bgsub"):
        indices, count = read(path)
    assert count == 3
    assert indices == [index for index in range(20) if index not in (3, 4, 11)]
    assert len(caplog.records) == 1


def test_damage_at_the_end_counts_every_frame_that_is_missing(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "x.avi", smooth_pictures(20), codec="mpeg4", pix_fmt="yuv420p")
    indices, count = read(damage_packet(path, 18))
    assert indices[:18] == list(range(18))
    assert len(indices) + count == 20


@pytest.mark.parametrize("matrix", ["YCgCo", "bt2020c", "chroma-derived-nc", "ICtCp"])
def test_a_colour_space_that_cannot_be_converted_is_read_as_the_usual_one(tmp_path: Path, matrix: str) -> None:
    images = smooth_pictures(3)  # grey, which is the same in all
    options = {"crf": "1", "x264-params": f"colormatrix={matrix}"}
    path = write_clip(tmp_path / "x.mp4", images, codec="libx264", pix_fmt="yuv420p", options=options)
    with open_source(path) as source:
        frames = list(source)
        assert source.damaged == 0
    for frame, image in zip(frames, images, strict=True):
        assert abs(frame.image.astype(int) - image).mean() < 3


@pytest.mark.parametrize("kind", [IndexError, ValueError, RuntimeError, MemoryError, OSError, NotImplementedError])
def test_whatever_a_library_raises_of_one_picture_costs_that_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    path = write_clip(tmp_path / "x.avi", pictures(6))
    convert = PictureConverter.image

    def fail_at_two(converter: PictureConverter, picture: av.VideoFrame) -> np.ndarray:
        if picture.pts == 2:
            raise kind("no such thing")
        return convert(converter, picture)

    monkeypatch.setattr(PictureConverter, "image", fail_at_two)
    assert read(path) == ([0, 1, 3, 4, 5], 1)


def test_a_file_of_which_no_picture_can_be_converted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> np.ndarray:
        raise ValueError("no")

    monkeypatch.setattr(PictureConverter, "image", fail)
    path = write_clip(tmp_path / "x.avi", pictures(6))
    with pytest.raises(SourceError, match=r"x.avi: not one picture of it can be converted \(6 tried\); check the file"):
        read(path)


@pytest.mark.parametrize("kind", [ValueError, RuntimeError, UnicodeDecodeError])
def test_whatever_a_library_raises_in_reading_ends_the_file_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, kind: type[Exception]
) -> None:
    path = write_clip(tmp_path / "x.avi", pictures(6))
    error = kind("utf-8", b"", 0, 1, "not text") if kind is UnicodeDecodeError else kind("two\nlines")

    class Breaking:
        """A container that breaks in its third packet."""

        def __init__(self, container: InputContainer) -> None:
            self.container = container

        def __getattr__(self, name: str) -> object:
            return getattr(self.container, name)

        def demux(self, *streams: object) -> Iterator[av.Packet]:
            yield from itertools.islice(self.container.demux(*streams), 3)
            raise error

    def open_breaking(*arguments: object, **options: object) -> Input:
        opened = open_input(*arguments, **options)  # type: ignore[arg-type]
        opened.container = Breaking(opened.container)  # type: ignore[assignment]
        return opened

    monkeypatch.setattr("bgsub.video.readers.packets.open_input", open_breaking)
    with caplog.at_level(logging.WARNING):
        indices, _ = read(path)
    assert indices == [0, 1, 2]
    assert "x.avi cannot be read to its end: " in caplog.text


@pytest.mark.parametrize("name", ["x.avi", "x.mkv"])
def test_cut_off_file_gives_what_is_left_and_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    path = write_clip(tmp_path / name, pictures(60), rate=10)
    position, size = packet_places(path)[30]
    path.write_bytes(path.read_bytes()[: position + size // 2])
    with caplog.at_level(logging.WARNING, logger="bgsub"):
        indices, count = read(path)
    assert indices == list(range(len(indices)))
    assert 30 <= len(indices) + count <= 31
    if int(av.__version__.split(".")[0]) >= 18:  # before, whole frames that waited in the decoder's threads go along
        assert len(indices) >= 30
    assert any("cut off" in record.getMessage() for record in caplog.records)


def test_whole_files_are_not_called_cut_off(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="bgsub"):
        for name in ("x.avi", "x.mkv", "x.mp4"):
            path = write_clip(tmp_path / name, smooth_pictures(60), codec="mpeg4", pix_fmt="yuv420p")
            assert read(path) == (list(range(60)), 0)
    assert caplog.records == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": -1}, "start=-1 is out of bounds"),
        ({"start": float("nan")}, "start=nan is out of bounds"),
        ({"start": 5, "end": 5}, "end=5 is out of bounds; give seconds above start=5"),
        ({"end": float("nan")}, "end=nan is out of bounds"),
        ({"end": 5, "duration": 1}, "end=5 and duration=1 exclude each other"),
        ({"duration": 0}, "duration=0 is out of bounds"),
        ({"every": 0}, "every=0 is out of bounds"),
        ({"every": 1.5}, "every=1.5 is out of bounds"),
        ({"scale": 0}, "scale=0 is out of bounds"),
        ({"scale": 1.5}, "scale=1.5 is out of bounds"),
        ({"scale": float("inf")}, "scale=inf is out of bounds"),
        ({"fps": 0}, "fps=0 is out of bounds"),
        ({"fps": float("nan")}, "fps=nan is out of bounds"),
        ({"prefetch": -1}, "prefetch=-1 is out of bounds"),
    ],
)
def test_parameters_out_of_bounds(options: dict[str, float], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        open_source("never-looked-at.mp4", **options)  # type: ignore[arg-type]


def keyframe_flags(path: Path) -> list[bool]:
    with av.open(str(path)) as container:
        return [packet.is_keyframe for packet in container.demux(video=0) if packet.size]


def test_a_folder_of_videos_is_no_source(tmp_path):
    (tmp_path / "A.MP4").touch()
    with pytest.raises(SourceError) as caught:
        open_source(tmp_path)
    assert str(caught.value) == f"cannot open {tmp_path}: it is a folder of videos; name one of them"
