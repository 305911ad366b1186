"""Open what FFmpeg reads: files, pipes and network streams, each allowed no more than its kind needs."""

from __future__ import annotations

import itertools
import os
import re
import select
import sys
import urllib.parse
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO, Any, Literal

import av
import av.error
from av.container import InputContainer
from av.video.stream import VideoStream

from bgsub.errors import SourceError
from bgsub.video.rational import fraction
from bgsub.video.readers.streams import choose_stream

NETWORK_TIMEOUT = 10.0
"""Seconds to wait for a network source, at its opening and at each read."""

NETWORK_SCHEMES = (
    "http", "https", "rtmp", "rtmps", "rtmpt", "rtp", "rtsp", "rtsps", "srt", "srtp", "tcp", "tls", "udp",
)  # fmt: skip
# Without `file`: a playlist from the network must not read local files. The second half carries the first.
_NETWORK_WHITELIST = ",".join((*NETWORK_SCHEMES, "crypto", "data", "hls", "httpproxy"))
# A local file is read through Python; a playlist in it finds no protocol at all to reach anything else with.
_NOTHING = "none"
_READ_SIZE = 1 << 18
# Titles and comments need not be valid text. PyAV 19 minds no longer, and has no word for it.
_TOLERANT: dict[str, Any] = {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}

_PLAYLISTS = (b"#EXTM3U", b"ffconcat", b"v=0", b"<MPD", b"<?xml", b"[playlist]", b"[reference]")

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
    """

    container: InputContainer
    stream: VideoStream
    kind: Kind
    shown: str
    name: str
    _file: IO[bytes] | None = None

    @property
    def codec(self) -> str:
        """Name of the codec, e.g. ``h264``, whichever decoder reads it."""
        return self.stream.codec_context.codec.canonical_name

    def close(self) -> None:
        """Close container and file; no other thread may be using them."""
        self.container.close()
        if self._file is not None:
            self._file.close()


def open_input(location: str, *, stream: int | None = None) -> Input:
    """Open a container and choose its video stream.

    Parameters
    ----------
    location : str
        Path of a file, URL, or ``-`` for standard input.
    stream : int or None
        Number of the stream; None chooses as `choose_stream` says.

    Raises
    ------
    SourceError
        When it cannot be opened, has no video, or its pictures are larger than supported.
    """
    kind: Kind = "pipe" if location == "-" else "network" if "://" in location else "file"
    shown = {"pipe": "standard input", "network": _without_password(location), "file": location}[kind]
    file: IO[bytes] | None = None
    container: InputContainer | None = None
    try:
        if kind == "file":
            file = Path(location).open("rb")  # noqa: SIM115 - closed by Input.close()
            kind = "file" if file.seekable() else "pipe"  # a named pipe, or /dev/stdin
            container = _open_file(file)
        elif kind == "pipe":
            container = _open_pipe()
        else:
            container = _open_network(location)
        chosen = choose_stream(container, shown, stream)
    except BaseException as error:
        if container is not None:
            container.close()
        if file is not None:
            file.close()
        # Not only FFmpeg's errors and a file's: of a damaged file PyAV raises what its own code stumbles over.
        if isinstance(error, Exception) and not isinstance(error, SourceError):
            raise SourceError(f"cannot open {shown}: {_explain(error, kind, location)}") from error
        raise
    return Input(container, chosen, kind, shown, _short_name(kind, location), file)


def _open_file(file: IO[bytes]) -> InputContainer:
    options = {"protocol_whitelist": _NOTHING}
    return av.open(file, "r", options=options, buffer_size=_READ_SIZE, **_TOLERANT)


def _open_pipe() -> InputContainer:
    if sys.stdin is not None and sys.stdin.isatty():
        raise SourceError("cannot open standard input: it is a terminal; pipe a video into it")
    if os.name == "posix":
        select.select([0], [], [])  # Ctrl-C ends this wait for the first byte; FFmpeg's it would not
    # FFmpeg reads the descriptor: a thread blocked in Python's sys.stdin would abort the interpreter's exit.
    options = {"protocol_whitelist": "pipe"}
    return av.open("pipe:0", "r", options=options, **_TOLERANT)


def _open_network(url: str) -> InputContainer:
    scheme = url.partition("://")[0].lower()
    if scheme not in NETWORK_SCHEMES:
        raise SourceError(
            f"cannot open {_without_password(url)}: unknown protocol {scheme!r}; "
            f"use one of {', '.join(NETWORK_SCHEMES)}, or a path"
        )
    options = {"protocol_whitelist": _NETWORK_WHITELIST}
    if scheme in ("rtsp", "rtsps"):
        options["rtsp_transport"] = "tcp"  # over UDP a lost packet smears the picture until the next keyframe
    return av.open(url, "r", options=options, timeout=(NETWORK_TIMEOUT, NETWORK_TIMEOUT), **_TOLERANT)


def _explain(error: Exception, kind: Kind, location: str) -> str:
    """Say in half a line why a container could not be opened and what to do."""
    reason = one_line(error)
    if kind == "network":
        if isinstance(error, av.error.ExitError):
            return f"no answer within {NETWORK_TIMEOUT:g} s; check the address and that the sender is on"
        return f"{reason}; check the address, and user and password if it needs them"
    if kind == "pipe":
        return f"{reason}; pipe a format that can be read without seeking (avi, mkv, mpegts) into it"
    if isinstance(error, OSError) and not isinstance(error, av.error.FFmpegError) and error.filename:
        return f"{reason}; check the path"
    return _explain_file(Path(location))


def _explain_file(path: Path) -> str:
    """Say why FFmpeg made nothing of a file that is there, by its first bytes."""
    with path.open("rb") as file:
        head = file.read(64)
    if not head:
        return "the file is empty; check that its recording or download worked"
    if head.lstrip(b"\xef\xbb\xbf \r\n").startswith(_PLAYLISTS):
        return "it is a playlist, which is not followed to other files or the network; give the video itself"
    if head[4:8] in (b"ftyp", b"mdat", b"moov", b"wide", b"free"):
        return "it was cut off before its index (moov) was written; repair it with a recovery tool"
    return "it is not a video that FFmpeg can read; check the file"


def explain_read(error: Exception) -> str:
    """Say in a few words why reading broke off."""
    if isinstance(error, av.error.ExitError):
        return f"nothing came for {NETWORK_TIMEOUT:g} s"
    return one_line(error)


def one_line(error: Exception) -> str:
    """Return the reason that a library gave, whatever it raised, in one line."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())


def _without_password(url: str) -> str:
    """Return the URL as it may be shown: without user and password, and the query, which may hold them."""
    return re.sub(r"://[^/]*@", "://", url.partition("?")[0])


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
    if opened.kind == "pipe":
        return None
    time_base = fraction(stream.time_base)
    if stream.duration and time_base:
        return float(stream.duration * time_base)
    return container.duration / av.time_base if container.duration else None


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
