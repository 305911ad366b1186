"""An RTSP camera on this machine: H.264 over TCP, at a pace and with time stamps of one's choice."""

from __future__ import annotations

import base64
import contextlib
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import av

_LARGEST = 1200


def access_units(path: Path) -> list[list[bytes]]:
    """NAL units of each picture of a raw H.264 stream."""
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    return [[unit for unit in re.split(rb"\x00\x00\x00?\x01", packet) if unit] for packet in packets]


class RtspCamera:
    """Serves each connection from the first picture on.

    Parameters
    ----------
    units : sequence of list of bytes
        NAL units of each picture.
    rate : float
        Pictures a second, by the world's clock.
    stamp : callable
        RTP time stamp of a picture, in ticks of 1/90000 s, of its number.
    """

    def __init__(self, units: Sequence[list[bytes]], rate: float, stamp: Callable[[int], int]) -> None:
        self._units, self._rate, self._stamp = units, rate, stamp
        self._server = socket.create_server(("127.0.0.1", 0))
        self._port = self._server.getsockname()[1]
        self.url = f"rtsp://127.0.0.1:{self._port}/live"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._server.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError, ValueError):
            reader = connection.makefile("rb")
            while line := reader.readline():
                method = line.split(b" ")[0].decode()
                number = b"0"
                while (header := reader.readline()).strip():
                    name, _, value = header.partition(b":")
                    number = value.strip() if name.lower() == b"cseq" else number
                self._answer(connection, method, number.decode())
                if method == "PLAY":
                    self._play(connection)
                    return

    def _answer(self, connection: socket.socket, method: str, number: str) -> None:
        body, more = "", ""
        if method == "OPTIONS":
            more = "Public: DESCRIBE, SETUP, PLAY\r\n"
        elif method == "DESCRIBE":
            sets = ",".join(base64.b64encode(unit).decode() for unit in self._units[0] if unit[0] & 31 in (7, 8))
            body = (
                "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n"
                "a=rtpmap:96 H264/90000\r\n"
                f"a=fmtp:96 packetization-mode=1;sprop-parameter-sets={sets}\r\na=control:track1\r\n"
            )
            more = f"Content-Type: application/sdp\r\nContent-Base: {self.url}/\r\nContent-Length: {len(body)}\r\n"
        elif method == "SETUP":
            more = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n"
        elif method == "PLAY":
            more = "Session: 1\r\n"
        connection.sendall(f"RTSP/1.0 200 OK\r\nCSeq: {number}\r\n{more}\r\n{body}".encode())

    def _play(self, connection: socket.socket) -> None:
        began, sequence = time.monotonic(), 0
        for index, units in enumerate(self._units):
            time.sleep(max(0.0, began + index / self._rate - time.monotonic()))
            parts = [part for unit in units for part in _payloads(unit)]
            for part in parts:
                last = part is parts[-1]
                head = struct.pack(">BBHII", 0x80, 96 | (128 if last else 0), sequence & 0xFFFF, self._stamp(index), 7)
                connection.sendall(b"$\0" + struct.pack(">H", len(head) + len(part)) + head + part)
                sequence += 1


def _payloads(unit: bytes) -> list[bytes]:
    """Split a NAL unit into what fits in a packet (FU-A)."""
    if len(unit) <= _LARGEST:
        return [unit]
    pieces = [unit[place : place + _LARGEST] for place in range(1, len(unit), _LARGEST)]
    indicator = unit[0] & 0xE0 | 28
    return [
        bytes([indicator, unit[0] & 31 | (128 if index == 0 else 0) | (64 if index == len(pieces) - 1 else 0)]) + piece
        for index, piece in enumerate(pieces)
    ]
