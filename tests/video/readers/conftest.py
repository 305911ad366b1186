"""Fixtures of the tests of readers: senders on this machine."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

Answer = Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Send bytes to whoever connects; then hang up, or fall silent until the test is over."""
    over = threading.Event()
    threads = []
    servers = []

    def start(data: bytes | Iterable[bytes], *, silent: bool = False) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def send() -> None:
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                for part in [data] if isinstance(data, bytes) else data:
                    connection.sendall(part)
                if silent:
                    over.wait(10)

        threads.append(threading.Thread(target=send, daemon=True))
        threads[-1].start()
        return f"tcp://127.0.0.1:{server.getsockname()[1]}"

    yield start
    over.set()
    for server in servers:
        server.close()
    for thread in threads:
        thread.join(5)


@pytest.fixture
def serve_http() -> Iterator[Callable[..., str]]:
    """Answer requests over HTTP in the version told; returns the URL."""
    servers = []

    def start(answer: Answer, *, version: str = "HTTP/1.1", name: str = "video") -> str:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = version

            def log_message(self, *arguments: object) -> None:
                pass

            def do_GET(self) -> None:
                with contextlib.suppress(OSError):
                    answer(self)

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads, server.block_on_close = True, False
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/{name}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
