"""What the name of a source means: a camera, standard input, an address, or a path."""

from __future__ import annotations

import os
import re
import urllib.parse
from pathlib import Path

from bgsub.stores.addresses import is_stored
from bgsub.stores.store_paths import StorePath

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_QUOTES = (("'", "'"), ('"', '"'), ("\u2018", "\u2019"), ("\u201c", "\u201d"), ("`", "`"))

Located = int | str | Path
"""A camera's number; ``-`` or an address; a path, on this machine or on a store."""


def locate(source: str | os.PathLike[str] | int) -> Located:
    """Say what a name means.

    What exists as a file or folder is that, whatever its name looks like. A path that was pasted may carry quotation
    marks, spaces around it, escapes of a shell, or a ``~``.

    Parameters
    ----------
    source : str, path-like or int
        A number, or a text of digits, is a camera; a path-like never is.

    Returns
    -------
    int, str or Path
        A camera's number; ``-`` or an address (never of a file); a path, a `StorePath` where it is on a store.
    """
    if isinstance(source, int):
        return source
    if not isinstance(source, str):
        return source if isinstance(source, StorePath) else Path(source)
    for text in readings(source):
        if text == "-":
            return text
        if os.path.lexists(text) and text:
            return Path(text)
        if re.fullmatch(r"[0-9]{1,4}", text):
            return int(text)
        if is_stored(text.strip()):
            return StorePath(text.strip())
        if url := _URL.match(text):
            if url[1].lower() != "file":
                return text.strip()
            from urllib.request import url2pathname  # takes longer to load than most sources to open

            return Path(url2pathname(urllib.parse.urlsplit(text.strip()).path))
    return Path(source)


def is_device(path: Path) -> bool:
    """Say whether a path is that of a camera of this machine, by its number or (``/dev/v4l/by-id/...``) by its name."""
    return str(path).startswith(("/dev/video", "/dev/v4l/"))


def readings(text: str) -> list[str]:
    """Return a text, and what it may mean if it was pasted."""
    plain = text.strip()
    for left, right in _QUOTES:
        if len(plain) > 1 and plain.startswith(left) and plain.endswith(right):
            plain = plain[1:-1].strip()
            break
    meant = [text, plain, os.path.expanduser(plain)]  # noqa: PTH111 - pathlib's raises where there is no such user
    if os.sep == "/":
        meant.append(re.sub(r"\\(.)", r"\1", plain))
    return list(dict.fromkeys(meant))
