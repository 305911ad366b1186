"""The files of the page: read once, found by name alone, so that no path of a request reaches the file system."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from starlette.responses import Response

from bgsub.live.web.routing import Call, Refused
from bgsub.live.web.station import Station
from bgsub.motion.reports import page_parts

_KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


class PageFile(NamedTuple):
    """A file of the page: its kind, its bytes, and a tag that changes with them."""

    kind: str
    data: bytes
    tag: str


def page_files() -> dict[str, PageFile]:
    """Return the files by their names: those of the page, and the parts that it shares with a scan's report."""
    own = sorted(Path(__file__).with_name("page").iterdir())
    shared = [Path(page_parts.__file__).with_name(f"parts.{kind}") for kind in ("css", "js")]
    return {path.name: _read(path) for path in [*own, *shared] if path.suffix in _KINDS}


def _read(path: Path) -> PageFile:
    data = path.read_bytes()
    tag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
    return PageFile(f"{_KINDS[path.suffix]}; charset=utf-8", data, tag)


async def index(files: dict[str, PageFile], station: Station, call: Call) -> Response:
    """Answer with the page."""
    return _answer(files["index.html"], call)


async def file(files: dict[str, PageFile], station: Station, call: Call) -> Response:
    """Answer with a file of the page."""
    found = files.get(call.place.name)
    if found is None:
        raise Refused(404, "the page has no such file")
    return _answer(found, call)


def _answer(found: PageFile, call: Call) -> Response:
    headers = {"etag": found.tag, "cache-control": "no-cache"}  # asked for each time, sent only where it has changed
    if call.request.headers.get("if-none-match") == found.tag:
        return Response(status_code=304, headers=headers)
    return Response(found.data, headers=headers, media_type=found.kind)
