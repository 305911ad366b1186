"""Senders that mean harm: refused or survived, and nothing grows."""

from __future__ import annotations

import contextlib
import itertools
import resource
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest

from bgsub.video.live.memory import limit_blocks, unlimited
from bgsub.video.live.source import LiveSource
from bgsub.video.readers.reconnecting import Patience

pytestmark = pytest.mark.slow
PATIENCE_S = 40.0
IMPATIENT = Patience(silence=1.5, first_delay=0.1, longest_delay=0.2)
MOST_MB = 300  # by which a hostile sender may make this grow: a block, its copy, and as much again


class Sender:
    """Answers each connection with what a generator yields, as fast as it is taken."""

    def __init__(self, answer: Callable[[], Iterator[bytes]], pause: float = 0.0) -> None:
        self.connections = 0
        self._answer, self._pause = answer, pause
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                self.connections += 1
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.recv(4096)
            for part in self._answer():
                connection.sendall(part)
                if self._pause:
                    time.sleep(self._pause)

    def close(self) -> None:
        self._server.close()


HTTP = b"HTTP/1.1 200 OK\r\n"
MULTIPART = HTTP + b"Content-Type: multipart/x-mixed-replace; boundary=x\r\n\r\n"


def endless_headers() -> Iterator[bytes]:
    return itertools.chain([HTTP], (b"X-%d: %b\r\n" % (n, b"y" * 500) for n in itertools.count()))


def endless_header_line() -> Iterator[bytes]:
    return itertools.chain([HTTP + b"X: "], itertools.repeat(b"y" * 4096))


def endless_rtsp_headers() -> Iterator[bytes]:
    return itertools.chain([b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n"], (b"X-%d: y\r\n" % n for n in itertools.count()))


def huge_description() -> Iterator[bytes]:
    head = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Type: application/sdp\r\nContent-Length: 2000000000\r\n\r\n"
    return itertools.chain([head], itertools.repeat(b"a=x\r\n" * 1000))


def garbage() -> Iterator[bytes]:
    chance = np.random.default_rng(2)
    return itertools.chain([HTTP + b"\r\n"], (chance.bytes(4096) for _ in itertools.count()))


def endless_part() -> Iterator[bytes]:
    head = MULTIPART + b"--x\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8\xff\xe0"
    return itertools.chain([head], itertools.repeat(b"\x01" * 65_536))


def huge_part() -> Iterator[bytes]:
    head = MULTIPART + b"--x\r\nContent-Type: image/jpeg\r\nContent-Length: 2000000000\r\n\r\n\xff\xd8\xff\xe0"
    return itertools.chain([head], itertools.repeat(b"\x01" * 65_536))


def huge_picture() -> Iterator[bytes]:
    picture = bytearray(cv2.imencode(".jpg", np.zeros((64, 64, 3), np.uint8))[1].tobytes())
    size = picture.index(b"\xff\xc0") + 5
    picture[size : size + 4] = struct.pack(">HH", 65_500, 65_500)
    part = b"--x\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%b\r\n" % (len(picture), bytes(picture))
    return itertools.chain([MULTIPART], itertools.repeat(part))


def drops() -> Iterator[bytes]:
    return itertools.chain([MULTIPART], itertools.repeat(b"-"))


@pytest.fixture(autouse=True, scope="module")
def as_in_a_cameras_process() -> Iterator[None]:
    assert limit_blocks()
    yield
    unlimited()


def memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.mark.parametrize(
    ("scheme", "answer", "pause"),
    [
        ("http", endless_headers, 0.0),
        ("http", endless_header_line, 0.0),
        ("http", garbage, 0.0),
        ("http", endless_part, 0.0),
        ("http", huge_part, 0.0),
        ("http", huge_picture, 0.01),
        ("http", drops, 0.05),
        ("rtsp", garbage, 0.0),
        ("rtsp", endless_rtsp_headers, 0.0),
        ("rtsp", huge_description, 0.0),
    ],
)
def test_what_a_hostile_sender_gives_is_refused_and_nothing_grows(
    scheme: str, answer: Callable[[], Iterator[bytes]], pause: float
) -> None:
    sender = Sender(answer, pause)
    before = memory_mb()
    threads = threading.active_count()
    with LiveSource(f"{scheme}://127.0.0.1:{sender.port}/x", patience=IMPATIENT) as source:
        deadline = time.monotonic() + PATIENCE_S
        for picture in source:
            assert picture is None
            if source.state == "lost" and sender.connections >= 2:
                break
            assert time.monotonic() < deadline, f"{source.state}: {source.why}"
        assert source.why
        assert "\n" not in source.why
    sender.close()
    assert memory_mb() - before < MOST_MB
    assert threading.active_count() <= threads + 6
