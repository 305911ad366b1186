"""Zones as people write them: a TOML file, or a word on the command line."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bgsub.background.region import Polygon, parse_polygon
from bgsub.errors import ParameterError
from bgsub.motion.zones import KINDS, MOST_ZONES, Kind, Zone, check_names

_LARGEST = 1 << 20  # bytes; 256 zones of hundreds of corners are less
_SHAPES = ("polygon", "rectangle", "mask", "line")
_NUMBERS = re.compile(r"[\d\s,;.+\-eE]+")
_KEYS = ("name", "kind", *_SHAPES)


def read_zones(path: str | os.PathLike[str]) -> list[Zone]:
    """Read the zones of a TOML file.

    Each is a table ``[[zone]]`` with ``name`` and one of ``polygon = [[x, y], ...]``, ``rectangle = [x, y, width,
    height]``, ``mask = "file.png"`` (beside the zone file, unless its whole path is given) and ``line = [[x, y], [x,
    y]]``, in pixels of the source, and perhaps ``kind``: "watch", as without it, "ignore" or "line".

    Parameters
    ----------
    path : path-like
        Of the file.

    Returns
    -------
    list of Zone
        At least one.

    Raises
    ------
    ParameterError
        When the file cannot be read, or holds anything else.
    """
    file = Path(path)
    tables = _tables(file)
    zones = []
    for i, table in enumerate(tables, 1):
        name = table.get("name") if isinstance(table, dict) else None
        place = f"{file}, zone {i}" + (f" ({name[:64]})" if isinstance(name, str) else "")
        try:
            zones.append(_zone(table, file.parent))
        except ParameterError as error:
            raise ParameterError(f"{place}: {error}") from None
    try:
        check_names(zones)
    except ParameterError as error:
        raise ParameterError(f"{file}: {error}") from None
    return zones


def parse_zone(text: str, kind: Kind, number: int = 1) -> Zone:
    """Read a zone of the command line.

    Parameters
    ----------
    text : str
        ``[NAME=]SHAPE``; the shape is a polygon or a rectangle as `bgsub.background.region.parse_polygon` reads it, two
        or more points of a line, or the path of a mask image.
    kind : {'watch', 'ignore', 'line'}
        Of the zone.
    number : int
        Names a zone that has no name: "ignore 1".

    Raises
    ------
    ParameterError
        When the text is not written so.
    """
    head, equals, tail = text.partition("=")
    name, shape = (head.strip(), tail.strip()) if equals else (f"{kind} {number}", text.strip())
    if not shape:
        raise ParameterError(f"zone {name} has no shape: write NAME=x,y,width,height, or corners x,y")
    if _NUMBERS.fullmatch(shape):
        return Zone(name, (_points(shape) if kind == "line" else parse_polygon(shape),), kind)
    return Zone(name, shape, kind)


def _points(text: str) -> Polygon:
    words = text.replace(";", " ").replace(", ", ",").split()
    try:
        return [(float(x), float(y)) for x, y in (word.split(",") for word in words)]
    except ValueError:
        raise ParameterError(
            f'cannot read the line {text!r}: write x,y for each point, as in "0,200 640,200"'
        ) from None


def _tables(file: Path) -> list[Any]:
    try:
        with file.open("rb") as opened:
            content = opened.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise ParameterError(f"cannot read the zones {file}: the file is larger than 1 MB; it is no zone file")
        document = tomllib.loads(content.decode("utf-8-sig"))
    except OSError as error:
        raise ParameterError(f"cannot read the zones {file}: {error.strerror}; check the path") from None
    except UnicodeDecodeError:
        raise ParameterError(f"cannot read the zones {file}: it is no text; give a TOML file with [[zone]]") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ParameterError(f"cannot read the zones {file}: {error}; give TOML, as in [[zone]]") from None
    unknown = [key for key in document if key != "zone"]
    if unknown:
        raise ParameterError(f"{file}: unknown key {unknown[0]!r}: a zone file has tables [[zone]] alone")
    tables = document.get("zone")
    if not isinstance(tables, list) or not tables:
        raise ParameterError(f"{file} has no zone: write [[zone]], name = ... and polygon = ... for each")
    if len(tables) > MOST_ZONES:
        raise ParameterError(f"{file} has {len(tables)} zones: give at most {MOST_ZONES}")
    return tables


def _zone(table: Any, folder: Path) -> Zone:
    if not isinstance(table, dict):
        raise ParameterError("it is no table: write [[zone]] above name = ...")
    unknown = [key for key in table if key not in _KEYS]
    if unknown:
        raise ParameterError(f"unknown key {unknown[0]!r}: give {', '.join(_KEYS)}")
    given = [key for key in _SHAPES if key in table]
    if len(given) != 1:
        told = "none" if not given else " and ".join(given)
        raise ParameterError(f"a zone has one of {', '.join(_SHAPES)}, this one has {told}")
    if "name" not in table:
        raise ParameterError("it has no name: write name = ...")
    kind = table.get("kind", "line" if given == ["line"] else "watch")
    if kind not in KINDS:
        raise ParameterError(f"unknown kind {kind!r}: give {', '.join(KINDS)}")
    if given == ["line"] and kind != "line":
        raise ParameterError(f"a line cannot be of kind {kind!r}: give a polygon, or leave kind out")
    return Zone(table["name"], _shape(given[0], table, folder), kind)


def _shape(key: str, table: Mapping[str, Any], folder: Path) -> tuple[Polygon, ...] | str:
    value = table[key]
    if key == "mask":
        if not isinstance(value, str) or not value or "\0" in value:
            raise ParameterError("mask is no path: write mask = ... with the name of an image file in quotes")
        return str(folder / value)
    if key == "rectangle":
        if not (isinstance(value, list) and len(value) == 4 and all(map(_is_number, value))):
            raise ParameterError("rectangle is not [x, y, width, height]: give four numbers, in pixels")
        return (parse_polygon(",".join(repr(float(v)) for v in value)),)
    if not (isinstance(value, list) and all(_is_point(point) for point in value)):
        raise ParameterError(f"{key} is no list of points: give [[x, y], [x, y], ...], in pixels")
    return (tuple((float(x), float(y)) for x, y in value),)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_point(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_number, value))
