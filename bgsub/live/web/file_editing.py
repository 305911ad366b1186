"""Settings of a camera changed in the configuration file: what stands beside them, and comments, stay as they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Array

from bgsub.errors import OutputError, ParameterError
from bgsub.files import replacing
from bgsub.live.settings import Camera, Zone

_LARGEST = 1 << 20  # bytes


def edited(text: str, camera: Camera) -> str:
    """Return the text of a configuration in which a camera has other zones, sensitivity and least length.

    Parameters
    ----------
    text : str
        Of the file.
    camera : Camera
        As it is to be; it is found by its name.

    Raises
    ------
    ParameterError
        When the file has no such camera, or is no TOML.
    """
    try:
        document = tomlkit.parse(text)
    except TOMLKitError as error:
        raise ParameterError(f"the configuration is no TOML: {error}") from None
    cameras = document.get("cameras", [])
    table = next((one for one in cameras if isinstance(one, dict) and one.get("name") == camera.name), None)
    if table is None:
        raise ParameterError(f"the configuration has no camera {camera.name} any more")
    defaults = Camera(name=camera.name, source="")
    for key in ("sensitivity", "min_length"):
        _set(table, key, getattr(camera, key), getattr(defaults, key))
    _set_zones(table, camera.zones)
    return tomlkit.dumps(document)


def write_configuration(path: Path, text: str) -> None:
    """Replace a configuration file, which keeps its permissions; `OutputError` where that fails."""
    path = path.resolve()
    try:
        with replacing(path, keep_mode=True) as temporary:
            temporary.write_bytes(text.encode())
    except OSError as error:
        raise OutputError(f"cannot write {path.name}: {error.strerror or error}; check its permissions") from None


def read_text(path: Path) -> str:
    """Return the text of a configuration file, line ends and all."""
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST).decode()
    except (OSError, ValueError) as error:
        raise ParameterError(f"cannot read {path.name}: {error}") from None


def _set(table: Any, key: str, value: float, default: float) -> None:
    if key in table and _number(table[key]) == value:
        return
    if value != default or key in table:
        table[key] = _rounded(value)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def _set_zones(table: Any, zones: Sequence[Zone]) -> None:
    """Change a camera's zones one by one, so that what stands around them stays."""
    known = table.get("zones")
    if known is None:
        if not zones:
            return
        known = table["zones"] = tomlkit.aot()
        known = table["zones"]
    wanted = {zone.name: zone for zone in zones}
    for at in range(len(known) - 1, -1, -1):
        if known[at].get("name") not in wanted:
            del known[at]
    there = {one.get("name"): one for one in known}
    for zone in zones:
        if zone.name in there:
            _change_zone(there[zone.name], zone)
        else:
            known.append(_new_zone(zone, inline=isinstance(known, Array) and not isinstance(known, AoT)))
    if not len(known):
        del table["zones"]


def _change_zone(table: Any, zone: Zone) -> None:
    polygon = [[float(x), float(y)] for x, y in table.get("polygon", [])]
    if polygon != [list(corner) for corner in zone.polygon]:
        table["polygon"] = _polygon(zone)
    if table.get("kind", "watch") != zone.kind:
        table["kind"] = zone.kind
    if zone.loiter:
        if _number(table.get("loiter")) != zone.loiter and not isinstance(table.get("loiter"), str):
            table["loiter"] = _rounded(zone.loiter)
    elif "loiter" in table:
        del table["loiter"]


def _new_zone(zone: Zone, *, inline: bool) -> Any:
    table = tomlkit.inline_table() if inline else tomlkit.table()
    table["name"] = zone.name
    if zone.kind != "watch":
        table["kind"] = zone.kind
    if zone.loiter:
        table["loiter"] = _rounded(zone.loiter)
    table["polygon"] = _polygon(zone)
    return table


def _polygon(zone: Zone) -> Any:
    array = tomlkit.array()
    for x, y in zone.polygon:
        array.append([_rounded(x), _rounded(y)])
    return array


def _rounded(value: float) -> float:
    value = round(float(value), 4)
    return int(value) if value == int(value) else value
