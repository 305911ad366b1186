"""Where a camera is, and how it is reached."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av.error

from bgsub.errors import SourceError
from bgsub.stores.store_paths import StorePath
from bgsub.video.addresses import why_no_camera, without_password
from bgsub.video.live.clock import Clock
from bgsub.video.live.connecting import Connection
from bgsub.video.live.looping import LoopedFile
from bgsub.video.live.network import Network
from bgsub.video.locating import is_device, locate
from bgsub.video.readers.demuxing import Input, open_input


class Address:
    """A camera's address, number or file, and how it is reached.

    Parameters
    ----------
    location : str, path-like or int
        URL of a stream, number or device of a webcam, or a file.
    loop : bool
        A file is read again and again at its own pace.
    audio : bool
        Sound is wanted.
    timeout : float
        Seconds to wait for an answer, and for each packet.

    Attributes
    ----------
    shown : str
        What messages call it, without user and password.
    repeats : bool
        It is a file, which is read again and again.

    Raises
    ------
    SourceError
        When there cannot be a camera, whatever comes.
    """

    def __init__(self, location: Any, *, loop: bool, audio: bool, timeout: float) -> None:
        self._found = locate(location)
        self._audio = audio
        self._timeout = timeout
        self._quick = True
        self.repeats = loop
        self.shown = f"camera {self._found}" if isinstance(self._found, int) else str(self._found)
        self._device: int | str | None = self._found if isinstance(self._found, int) else None
        if isinstance(self._found, str):
            self.shown = without_password(self._found)
            _check_url(self._found, self.shown, loop)
        elif isinstance(self._found, Path) and is_device(self._found):
            self._device = str(self._found)
        elif not isinstance(self._found, int) and (not loop or isinstance(self._found, StorePath)):
            raise SourceError(
                f"cannot watch {self.shown}: it is no camera; a file on this machine can be looped as one"
            )

    def connect(self, clock: Clock, wait: Callable[[float], object]) -> Connection:
        """Connect to it.

        Parameters
        ----------
        clock : Clock
            Tells when packets arrive.
        wait : callable
            Waits so many seconds, or until the source is closed.

        Raises
        ------
        SourceError
            When it cannot be reached.
        """
        if self._device is not None:
            from bgsub.video.live.webcam import Webcam

            device = self._device
            return Webcam(device if isinstance(device, int) else os.path.realpath(device), clock)
        if not isinstance(self._found, str):
            return LoopedFile(str(self._found), clock, wait, audio=self._audio)
        return Network(self._reached(self._found), clock, audio=self._audio, timeout=self._timeout)

    def _reached(self, url: str) -> Input:
        """Open a stream after a short look at it; after a long one where that was too little."""
        if self._quick:
            try:
                opened = open_input(url, timeout=self._timeout, quick=True)
                if opened.stream.codec_context.width:
                    return opened
                opened.close()  # its parameters come with its next key frame
            except SourceError as error:
                if not isinstance(error.__cause__, (ValueError, av.error.InvalidDataError, type(None))):
                    raise
        opened = open_input(url, timeout=self._timeout)
        self._quick = False
        return opened


def _check_url(url: str, shown: str, loop: bool) -> None:
    if loop:
        raise SourceError(f"cannot loop {shown}: only a file on this machine can be looped as a camera")
    why = why_no_camera(url)
    if why is not None:
        raise SourceError(f"cannot watch {shown}: {why}")
