"""An S3-compatible server on loopback, which a test can take away and bring back with all that is on it."""

from __future__ import annotations

import contextlib
import os
import socket
import urllib.request
from collections.abc import Iterator

import pytest

SECRET = "not-to-be-told"


def unused_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class S3:
    """The server; `files` is fsspec's file system of it.

    Its contents are those of this process, and stay while it is away.
    """

    def __init__(self) -> None:
        self.port = unused_port()
        self.start()

    def start(self) -> None:
        from moto.server import ThreadedMotoServer

        self._server = ThreadedMotoServer("127.0.0.1", self.port, verbose=False)
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def forget(self) -> None:
        """Remove all that is on it, also what one before has left in this process."""
        url = f"http://127.0.0.1:{self.port}/moto-api/reset"
        with urllib.request.urlopen(urllib.request.Request(url, method="POST")):
            pass

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ACCESS_KEY_ID": "tester",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_MAX_ATTEMPTS": "1",
        }

    @property
    def files(self):
        import fsspec

        return fsspec.filesystem("s3")


@contextlib.contextmanager
def served() -> Iterator[S3]:
    """Serve a bucket called "cams"; the test is skipped where the libraries are missing."""
    for library in ("moto.server", "flask_cors", "s3fs"):  # a server without flask-cors would never answer
        pytest.importorskip(library, reason=f"{library} is not installed: no S3-compatible server to try")
    import s3fs

    server = S3()
    before = dict(os.environ)
    os.environ.update(server.environment)
    s3fs.S3FileSystem.clear_instance_cache()
    try:
        server.forget()
        server.files.makedirs("cams")
        yield server
    finally:
        s3fs.S3FileSystem.clear_instance_cache()
        os.environ.clear()
        os.environ.update(before)
        server.stop()
