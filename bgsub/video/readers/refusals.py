"""Why a source could not be opened, and what to do: half a line for each kind of failure."""

from __future__ import annotations

from pathlib import Path

import av.error

from bgsub.stores.addresses import ADVICE, is_stored
from bgsub.stores.store_paths import as_path
from bgsub.video.readers.wholeness import has_index, is_mp4, mp4_boxes

_PLAYLISTS = (b"#EXTM3U", b"ffconcat", b"v=0", b"<MPD", b"<?xml", b"[playlist]", b"[reference]")
_WEB_PAGES = (b"<!doctype html", b"<html", b"<head", b"<!--")
PIPED_MP4 = (
    "an MP4 can be piped only with its index at its front (ffmpeg -movflags +faststart); "
    "give the file's name, or pipe mkv or mpegts"
)
WEB_PAGE = "it is a web page, not a video; download its video with a program for that (yt-dlp) and give the file"


def explain(error: Exception, kind: str, location: str, timeout: float) -> str:
    """Say in half a line why a container could not be opened and what to do.

    Parameters
    ----------
    error : Exception
        What was raised.
    kind : {"file", "pipe", "network"}
        How its bytes come here.
    location : str
        Path, URL or ``-``.
    timeout : float
        Seconds that a network source was waited for.
    """
    reason = one_line(error)
    if kind == "network":
        if isinstance(error, av.error.ExitError):
            return f"no answer within {timeout:g} s; check the address and that the sender is on"
        return f"{reason}; check the address, and user and password if it needs them"
    if kind == "pipe":
        return f"{reason}; pipe a format that can be read without seeking (avi, mkv, mpegts) into it"
    if isinstance(error, OSError) and not isinstance(error, av.error.FFmpegError) and error.filename:
        return f"{reason}; {ADVICE if is_stored(location) else 'check the path'}"
    return _explain_file(as_path(location))


def _explain_file(path: Path) -> str:
    """Say why FFmpeg made nothing of a file that is there, by its first bytes."""
    with path.open("rb") as file:
        head = file.read(64)
        boxes = {kind for kind, _ in mp4_boxes(file)} if is_mp4(head) else set()
        whole = has_index(file)
    text = _text(head)
    if not head:
        return "the file is empty; check that its recording or download worked"
    if is_html(head):
        return WEB_PAGE
    if text.startswith(_PLAYLISTS):
        return "it is a playlist, which is not followed to other files or the network; give the video itself"
    if whole:
        return "its index (moov) is damaged; repair it with a recovery tool"
    if boxes:
        where = "within its index (moov)" if b"moov" in boxes else "before its index (moov) was written"
        return f"it was cut off {where}; repair it with a recovery tool"
    return "it is not a video that FFmpeg can read; check the file"


def _text(head: bytes) -> bytes:
    return head.lstrip(b"\xef\xbb\xbf \r\n\t")


def is_html(head: bytes) -> bool:
    """Say whether bytes begin as a web page does."""
    return _text(head).lower().startswith(_WEB_PAGES)


def one_line(error: Exception) -> str:
    """Return the reason that a library gave, whatever it raised, in one line."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())
