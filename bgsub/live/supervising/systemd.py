"""systemd is told that the program is ready and alive: a line to the socket that the environment names."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping


class ServiceManager:
    """Whoever started the program, if it listens (``Type=notify``); else nothing happens.

    Parameters
    ----------
    environment : mapping of str to str
        Variables: NOTIFY_SOCKET, and WATCHDOG_USEC where signs of life are wanted.

    Attributes
    ----------
    interval : float or None
        Seconds between two signs of life; None where none is wanted.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address  # @: one without a file
        microseconds = environment.get("WATCHDOG_USEC", "")
        wanted = microseconds.isdecimal() and environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self.interval = int(microseconds) / 2e6 if wanted and self._address else None

    def ready(self) -> None:
        """Tell that the program has begun its work."""
        self._send("READY=1")

    def alive(self, status: str) -> None:
        """Tell that the program is alive, and in one line what it does."""
        self._send(f"WATCHDOG=1\nSTATUS={' '.join(status.split())[:200]}")

    def reloading(self, monotonic: float) -> None:
        """Tell that the configuration is read again; `ready` ends it."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={int(monotonic * 1e6)}")

    def stopping(self) -> None:
        """Tell that the program ends."""
        self._send("STOPPING=1")

    def _send(self, text: str) -> None:
        if not self._address or not hasattr(socket, "AF_UNIX"):
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
            connection.setblocking(False)
            connection.sendto(text.encode(), self._address)
