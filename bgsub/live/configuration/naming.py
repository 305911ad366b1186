"""What cameras are called that nobody has named: after the number, the host or the file."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Sequence
from pathlib import PurePath

from bgsub.live.layout import CAMERA_NAME

_LONGEST = 40  # characters; a number may follow


def camera_names(sources: Sequence[str]) -> tuple[str, ...]:
    """Return a name for each source; all are different, whether or not capitals count.

    Examples
    --------
    >>> camera_names(["0", "rtsp://user:secret@yard.local/main", "clips/street.mp4", "street.mp4"])
    ('camera-0', 'yard-local', 'street', 'street-2')
    """
    names: list[str] = []
    taken: set[str] = set()
    for source in sources:
        plain = name = _name(source)
        count = 1
        while name.lower() in taken:  # folders of some systems know no capitals
            count += 1
            name = f"{plain}-{count}"
        taken.add(name.lower())
        names.append(name)
    return tuple(names)


def _name(source: str) -> str:
    if re.fullmatch(r"[0-9]{1,4}", source):
        return f"camera-{int(source)}"
    if "://" in source:
        try:
            text = urllib.parse.urlsplit(source).hostname or ""
        except ValueError:  # of an address that is none
            text = ""
    else:
        text = PurePath(source.replace("\\", "/")).stem
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", text)[:_LONGEST].strip("-")
    return name if CAMERA_NAME.fullmatch(name) else "camera"
