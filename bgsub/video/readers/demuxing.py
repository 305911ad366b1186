"""Open what FFmpeg reads: files, pipes and network streams, each allowed no more than its kind needs."""

from __future__ import annotations

import errno
import itertools
import os
import re
import select
import sys
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import IO, Any, Literal, cast

import av
import av.error
from av.container import InputContainer
from av.video.stream import VideoStream

from bgsub.errors import SourceError
from bgsub.stores.addresses import is_stored, without_secrets
from bgsub.stores.stored_file import WINDOW, StoredFile
from bgsub.video.addresses import NETWORK_SCHEMES, is_video_site, without_password
from bgsub.video.rational import fraction
from bgsub.video.readers.raw import RawPictures, advice
from bgsub.video.readers.refusals import WEB_PAGE, explain, is_html, one_line
from bgsub.video.readers.streams import choose_stream
from bgsub.video.readers.wholeness import frames_to_come, has_index, packets_to_come

NETWORK_TIMEOUT = 10.0
"""Seconds to wait for a network source, at its opening and at each read."""

# Without `file`: a playlist from the network must not read local files. The second half carries the first.
_NETWORK_WHITELIST = ",".join((*NETWORK_SCHEMES, "crypto", "data", "hls", "httpproxy"))
# A local file is read through Python; a playlist in it finds no protocol at all to reach anything else with.
_NOTHING = "none"
_READ_SIZE = 1 << 18
_QUICK = {"probesize": "65536", "analyzeduration": "200000"}
# Titles and comments need not be valid text. PyAV 19 minds no longer, and has no word for it.
_TOLERANT: dict[str, Any] = {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}

Kind = Literal["file", "pipe", "network"]


@dataclass(slots=True)
class Input:
    """An open container and its video stream.

    Attributes
    ----------
    container : av.container.InputContainer
        Open.
    stream : av.video.stream.VideoStream
        The stream whose frames are read.
    kind : {"file", "pipe", "network"}
        How its bytes come here.
    shown : str
        What messages call it: path or URL, without a password.
    name : str
        Short name for outputs.
    file : binary file or None
        What the container of a file or a named pipe is read from; a `StoredFile` where it lies on a store.
    seekable : bool
        FFmpeg could look at the end of a file before it began.
    promised : tuple of int, or None
        How many packets the container says it holds, and how many of these the file is long enough for.
    n_frames : int or None
        How many frames will come; None where nobody knows.
    """

    container: InputContainer
    stream: VideoStream
    kind: Kind
    shown: str
    name: str
    file: IO[bytes] | None = None
    seekable: bool = False
    promised: tuple[int, int] | None = None
    n_frames: int | None = None

    @property
    def codec(self) -> str:
        """Name of the codec, e.g. ``h264``, whichever decoder reads it."""
        return self.stream.codec_context.codec.canonical_name

    @property
    def lost(self) -> OSError | None:
        """Why the store on which a file lies has given up; None of a file elsewhere, and as long as it has not."""
        return self.file.failure if isinstance(self.file, StoredFile) else None

    def close(self) -> None:
        """Close container and file; no other thread may be using them."""
        self.container.close()
        if self.file is not None:
            self.file.close()


def open_input(
    location: str,
    *,
    stream: int | None = None,
    raw: RawPictures | None = None,
    rate: Fraction | None = None,
    timeout: float | None = None,
    quick: bool = False,
) -> Input:
    """Open a container and choose its video stream.

    Parameters
    ----------
    location : str
        Path or address on a store of a file, URL, or ``-`` for standard input.
    stream : int or None
        Number of the stream; None chooses as `choose_stream` says.
    raw : RawPictures or None
        How pictures without a header are read.
    rate : Fraction or None
        Frames per second of these.
    timeout : float or None
        Seconds to wait for a network source, at its opening and at each read; None: `NETWORK_TIMEOUT`.
    quick : bool
        Look only at the first 64 KB, or a fifth of a second, of a network source to find out what it holds.

    Raises
    ------
    SourceError
        When it cannot be opened, has no video, or its pictures are larger than supported.
    """
    timeout = NETWORK_TIMEOUT if timeout is None else timeout
    stored = is_stored(location)
    kind: Kind = "pipe" if location == "-" else "network" if "://" in location and not stored else "file"
    shown = {"pipe": "standard input", "network": without_password(location), "file": without_secrets(location)}[kind]
    file: IO[bytes] | None = None
    container: InputContainer | None = None
    seekable = False
    reading = _Reading("rawvideo", raw.options(location, rate)) if raw else _Reading()
    if quick and kind == "network":
        reading.options.update(_QUICK)
    try:
        if kind == "file":
            file = _opened_file(location)
            kind = "file" if file.seekable() else "pipe"  # a named pipe, or /dev/stdin
            container, seekable = _open_file(file, kind, reading)
        elif kind == "pipe":
            container = _open_pipe(reading)
        else:
            container = _open_network(location, reading, timeout)
        chosen = choose_stream(container, shown, stream)
    except BaseException as error:
        if container is not None:
            container.close()
        if file is not None:
            file.close()
        # Not only FFmpeg's errors and a file's: of a damaged file PyAV raises what its own code stumbles over.
        hint = advice(location) if kind == "file" and raw is None else None
        if hint and isinstance(error, (av.error.FFmpegError, SourceError)):
            raise SourceError(f"cannot open {shown}: {hint}") from error
        if isinstance(error, av.error.FFmpegError) and kind == "network" and _is_web_page(location, error):
            raise SourceError(f"cannot open {shown}: {WEB_PAGE}") from error
        if isinstance(error, Exception) and not isinstance(error, SourceError):
            lost = file.failure if isinstance(file, StoredFile) else None
            reason = explain(lost or error, kind, location, timeout)
            raise SourceError(f"cannot open {shown}: {reason}") from error
        raise
    opened = Input(container, chosen, kind, shown, _short_name(kind, location), file, seekable)
    if file is not None and seekable:
        length = file.size if isinstance(file, StoredFile) else os.fstat(file.fileno()).st_size
        opened.promised = packets_to_come(chosen, length)
        opened.n_frames = frames_to_come(chosen, length)
    elif kind == "network" and container.duration is not None:
        opened.promised = packets_to_come(chosen, None)
        opened.n_frames = frames_to_come(chosen, None)
    return opened


def _opened_file(location: str) -> IO[bytes]:
    """Open a file, which is closed by `Input.close`."""
    if is_stored(location):
        return cast(IO[bytes], StoredFile(location, WINDOW, ends=True))
    return Path(location).open("rb")


@dataclass(frozen=True, slots=True)
class _Reading:
    """FFmpeg's name of the format, where it is told, and the options of that."""

    format: str | None = None
    options: dict[str, str] = field(default_factory=dict)


def _is_web_page(url: str, error: av.error.FFmpegError) -> bool:
    """Say whether what an address gave, and FFmpeg made nothing of, is HTML, by its first bytes."""
    answered = isinstance(error, av.error.InvalidDataError) or error.errno == errno.EIO
    if not answered or not url.lower().startswith(("http://", "https://")):
        return False
    options = {"protocol_whitelist": _NETWORK_WHITELIST}
    try:
        with av.open(url, "r", format="data", options=options, timeout=(NETWORK_TIMEOUT, NETWORK_TIMEOUT)) as container:
            return is_html(bytes(next(container.demux())))
    except Exception:
        return False


def _open_file(file: IO[bytes], kind: Kind, reading: _Reading) -> tuple[InputContainer, bool]:
    """Open a file, and say whether it was one that can be sought in."""

    def opened(bytes_of: Any) -> InputContainer:
        options = {"protocol_whitelist": _NOTHING, **reading.options}
        return av.open(bytes_of, "r", format=reading.format, options=options, buffer_size=_READ_SIZE, **_TOLERANT)

    try:
        return opened(file), kind == "file"
    except av.error.FFmpegError:
        if kind != "file" or not has_index(file):
            raise
        # Fragments, of which the last is cut off in its head: FFmpeg looks at all of them first, where it can seek.
        file.seek(0)
        return opened(_Forward(file.read)), False


@dataclass(slots=True)
class _Forward:
    """A file that can only be read on, as a pipe: nothing is known of its end before."""

    read: Callable[[int], bytes]


def _open_pipe(reading: _Reading) -> InputContainer:
    if sys.stdin is not None and sys.stdin.isatty():
        raise SourceError("cannot open standard input: it is a terminal; pipe a video into it")
    if os.name == "posix":
        select.select([0], [], [])  # Ctrl-C ends this wait for the first byte; FFmpeg's it would not
    # FFmpeg reads the descriptor: a thread blocked in Python's sys.stdin would abort the interpreter's exit.
    options = {"protocol_whitelist": "pipe", **reading.options}
    return av.open("pipe:0", "r", format=reading.format, options=options, **_TOLERANT)


def _open_network(url: str, reading: _Reading, timeout: float) -> InputContainer:
    scheme = url.partition("://")[0].lower()
    if scheme not in NETWORK_SCHEMES:
        raise SourceError(
            f"cannot open {without_password(url)}: unknown protocol {scheme!r}; "
            f"use one of {', '.join(NETWORK_SCHEMES)}, or a path"
        )
    if is_video_site(url):
        raise SourceError(f"cannot open {without_password(url)}: {WEB_PAGE}")
    options = {"protocol_whitelist": _NETWORK_WHITELIST, **reading.options}
    if scheme in ("rtsp", "rtsps"):
        options["rtsp_transport"] = "tcp"  # over UDP a lost packet smears the picture until the next keyframe
    return av.open(url, "r", format=reading.format, options=options, timeout=(timeout, timeout), **_TOLERANT)


def explain_read(error: Exception, timeout: float | None = None) -> str:
    """Say in a few words why reading broke off."""
    if isinstance(error, av.error.ExitError):
        return f"nothing came for {NETWORK_TIMEOUT if timeout is None else timeout:g} s"
    return one_line(error)


def _short_name(kind: Kind, location: str) -> str:
    """Return a name that is safe in a file name."""
    if location == "-":
        return "stdin"
    if kind != "network":
        return Path(location).stem
    parts = urllib.parse.urlsplit(location)
    words = [parts.hostname or "", Path(parts.path).stem]
    return re.sub(r"[^A-Za-z0-9.]+", "-", "-".join(word for word in words if word)).strip("-.") or "stream"


def duration_of(opened: Input, rate: Fraction | None = None) -> float | None:
    """Return the length in seconds that a container states, None where it states none.

    With a `rate`, which replaces the container's times, it is the number of frames that tells the length.
    """
    stream, container = opened.stream, opened.container
    if rate:
        return float(stream.frames / rate) if stream.frames else None
    if opened.kind == "pipe" or (opened.kind == "file" and not opened.seekable):
        return None
    time_base = fraction(stream.time_base)
    if stream.duration and time_base:
        return float(stream.duration * time_base)
    return container.duration / av.time_base if container.duration else None


def size_of(container: InputContainer) -> int | None:
    """Return the bytes of a container, None where its sender tells none (PyAV before 19: a negative number)."""
    size = cast("int | None", container.size)
    return size if size is not None and size > 0 else None


def frame_steps(stream: VideoStream) -> frozenset[int]:
    """Return the different distances, in ticks, of neighbouring frames; none where they are not known.

    They are where the container has an index of all its frames (mp4, avi).
    """
    entries = stream.index_entries
    if len(entries) < 2 or len(entries) != stream.frames:
        return frozenset()
    stamps = [entry.timestamp for entry in entries]
    return frozenset(later - earlier for earlier, later in itertools.pairwise(stamps))


def pixel_shape(opened: Input) -> Fraction:
    """Return the width of a stored pixel over its height, as the container or the codec says; 1 where neither does."""
    stated = fraction(opened.stream.sample_aspect_ratio) or fraction(opened.stream.codec_context.sample_aspect_ratio)
    # Beyond this it is damage: no lens and no tape format has such pixels.
    return stated if stated and Fraction(1, 16) <= stated <= 16 else Fraction(1)
