"""What senders on this machine answer over HTTP, and at which pace."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from http.server import BaseHTTPRequestHandler

import cv2

from tests.video.clips import smooth_pictures

Answer = Callable[[BaseHTTPRequestHandler], None]


def paced(parts: Iterable[bytes], rate: float) -> Iterator[bytes]:
    """Yield so many parts a second, by the world's clock."""
    began = time.monotonic()
    for index, part in enumerate(parts):
        time.sleep(max(0.0, began + index / rate - time.monotonic()))
        yield part


def chunked(parts: Iterable[bytes]) -> Answer:
    """Send without a length, and say where the end is."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for part in parts:
            handler.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
            handler.wfile.flush()
        handler.wfile.write(b"0\r\n\r\n")

    return answer


def until_closed(data: bytes) -> Answer:
    """Send without a length; the end is where the connection is closed, as in HTTP 1.0."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(data)
        handler.close_connection = True

    return answer


def sized(data: bytes, cut: int | None = None) -> Answer:
    """Send with a length, and perhaps less than it says."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data[:cut])
        handler.close_connection = True

    return answer


def camera(rate: float, count: int) -> Answer:
    """Multipart MJPEG, as network cameras send it."""
    pictures = [cv2.imencode(".jpg", image)[1].tobytes() for image in smooth_pictures(40)]

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        handler.end_headers()
        for picture in paced((pictures[index % 40] for index in range(count)), rate):
            head = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(picture)
            handler.wfile.write(head + picture + b"\r\n")
            handler.wfile.flush()

    return answer
