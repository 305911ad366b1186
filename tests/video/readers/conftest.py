"""Fixtures of the tests of readers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Send bytes to whoever connects; then hang up, or fall silent until the test is over."""
    over = threading.Event()
    threads = []
    servers = []

    def start(data: bytes, *, silent: bool = False) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def send() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(data)
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
