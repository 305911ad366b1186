"""The file that says what is watched: TOML, read strictly, each error in one line with its place.

A text ``env:NAME`` stands for what that variable of the environment holds, so that no password need lie in the file.
Relative paths are meant from the folder of the file.
"""

from __future__ import annotations

import difflib
import re
import stat
import tomllib
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from bgsub.errors import ParameterError
from bgsub.live.configuration import amounts
from bgsub.live.configuration.checking import check
from bgsub.live.configuration.hiding import has_password, is_from_environment, revealed
from bgsub.live.places import from_home
from bgsub.live.settings import Camera, Mqtt, Retention, Tell, Watch, Web, Zone
from bgsub.video.locating import locate

_LARGEST = 1 << 20  # bytes
_TIMES: dict[type[Struct], set[str]] = {
    Camera: {"before", "after", "longest", "merge", "segment", "min_length"},
    Zone: {"loiter"},
    Retention: {"max_age"},
    Tell: {"pause"},
}
_SIZES: dict[type[Struct], set[str]] = {Retention: {"max_size", "min_free"}}
_SECRET = {"password", "secret"}
_ADDRESSES = {"source", "detect", "url", "apprise"}
_TLS = ("certificate", "key")
_HOMES: dict[type[Struct], str] = {  # in the order in which a key is looked for
    Watch: "at the top, before the first line with brackets, which begins a table",
    Camera: "below [[cameras]], before that camera's [[cameras.zones]]",
    Zone: "below [[cameras.zones]]",
    Retention: "below [retention]",
    Tell: "below [tell]",
    Mqtt: "below [tell.mqtt]",
    Web: "below [web]",
}
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_WORDS = {
    "array": "a list",
    "object": "a table",
    "str": "a text",
    "bool": "true or false",
    "float": "a number",
    "int": "a whole number",
}


class Configuration(NamedTuple):
    """What a file says, and what is doubtful about it, a line each."""

    watch: Watch
    warnings: tuple[str, ...]


def read_configuration(path: Path) -> Configuration:
    """Read what is watched from a TOML file.

    Parameters
    ----------
    path : Path
        Its keys are the attributes of `Watch` and what is in it. Times may be texts like ``10min``, sizes like
        ``20GB``.

    Raises
    ------
    ParameterError
        When it cannot be read, or something in it does not do: one line with the place.
    """
    data = _toml(path)
    try:
        watch = msgspec.convert(_prepared({"cameras": [], **data}, Watch, []), Watch)
        watch = _from_folder(watch, path.resolve().parent)
        check(watch)
    except msgspec.ValidationError as error:
        raise ParameterError(f"{path.name}: {_in_words(error, data)}") from None
    except ParameterError as error:
        raise ParameterError(f"{path.name}: {error}") from None
    return Configuration(watch, _warnings(path, data))


def _toml(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise ParameterError(f"cannot read {path}: {error.strerror or error}; check the path") from None
    if len(data) > _LARGEST:
        raise ParameterError(f"{path.name} is larger than {_LARGEST >> 20} MiB: it is no file of cameras")
    try:
        return tomllib.loads(data.decode("utf-8-sig"))  # some editors begin a file with a mark
    except (ValueError, RecursionError) as error:  # of TOML and of UTF-8
        raise ParameterError(f"{path.name} is no TOML: {error}") from None


def changed(watch: Watch, retention: Mapping[str, Any], **values: Any) -> Watch:
    """Return settings with some in the place of others, checked as a file's are.

    Parameters
    ----------
    watch : Watch
        The settings.
    retention : mapping of str to value
        Attributes of its retention.
    **values
        Its own attributes.

    Raises
    ------
    ParameterError
        When one does not do.
    """
    kept = msgspec.structs.replace(watch.retention, **retention)
    watch = msgspec.structs.replace(watch, retention=kept, **values)
    data = msgspec.to_builtins(watch)
    try:
        watch = msgspec.convert(data, Watch)
    except msgspec.ValidationError as error:
        raise ParameterError(_in_words(error, data)) from None
    check(watch)
    return watch


# ------------------------------------------------------------------------------------------------------ before reading


def _prepared(value: Any, kind: type[Struct], place: list[str]) -> Any:
    """Return a table with times and sizes as numbers, and the environment's values in place of their names."""
    if not isinstance(value, dict):
        return value  # which is refused when it is converted
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    prepared = {}
    for key, entry in value.items():
        if key not in fields:
            raise ParameterError(_at(place, f"there is no key {key[:64]!r} here; {_meant(key, list(fields))}"))
        inner = _struct_in(fields[key].type)
        if inner is None:
            prepared[key] = _setting(entry, key, kind, [*place, key])
        elif isinstance(entry, list):
            prepared[key] = [_prepared(each, inner, [*place, _called(inner, each, n)]) for n, each in enumerate(entry)]
        else:
            prepared[key] = _prepared(entry, inner, [*place, key])
    return prepared


def _meant(key: str, known: list[str]) -> str:
    """Return what somebody may have meant by a key that is not there."""
    for kind, home in _HOMES.items():
        if key in {field.name for field in msgspec.structs.fields(kind)}:
            return f"write {key} {home}"
    near = difflib.get_close_matches(key, known, 1, 0.5)
    return f"is it {near[0]}?" if near else f"there are {', '.join(known)}"


def _setting(entry: Any, key: str, kind: type[Struct], place: list[str]) -> Any:
    try:
        if any(isinstance(text, str) and "\0" in text for text in (entry if isinstance(entry, list) else [entry])):
            raise ParameterError("it holds a character (NUL) that no name and no address can have: leave that out")
        if isinstance(entry, str) and key in _TIMES.get(kind, ()):
            return amounts.seconds(entry)
        if isinstance(entry, str) and key in _SIZES.get(kind, ()):
            return amounts.size(entry)
        if kind is Camera and key in ("source", "detect") and type(entry) is int:
            return str(entry)  # a webcam's number
        if isinstance(entry, list):
            return [revealed(each) if isinstance(each, str) else each for each in entry]
        return revealed(entry) if isinstance(entry, str) else entry
    except ParameterError as error:
        raise ParameterError(_at(place, str(error))) from None


def _struct_in(kind: Any) -> type[Struct] | None:
    """Return the kind of table that a setting is, or is a list of."""
    if isinstance(kind, type) and issubclass(kind, Struct):
        return kind
    return next(filter(None, map(_struct_in, typing.get_args(kind))), None)


def _called(kind: type[Struct], entry: Any, number: int) -> str:
    """Return what a table in a list is called: by its name, or by its number from 1."""
    name = entry.get("name") if isinstance(entry, dict) else None
    named = isinstance(name, str) and 0 < len(name) <= 64 and name.isprintable()
    return f'{kind.__name__.lower()} "{name}"' if named else f"{kind.__name__.lower()} {number + 1}"


def _at(place: list[str], text: str) -> str:
    return f"{', '.join(place)}: {text}" if place else text


# ------------------------------------------------------------------------------------------------------- after reading


def _in_words(error: msgspec.ValidationError, data: dict[str, Any]) -> str:
    """Return what is wrong, and where, in our words."""
    text, _, path = str(error).partition(" - at `$")
    place: list[str] = []
    value, last, awaited = typing.cast(Any, data), "", ""
    kind: type[Struct] = Watch
    inner: type[Struct] | None = None
    for key, number in _STEP.findall(path.rstrip("`")):
        if key:
            value, last = value.get(key) if isinstance(value, dict) else None, key
            inner = _struct_in({field.name: field.type for field in msgspec.structs.fields(kind)}[key])
            kind = inner or kind
            is_list = inner is not None and isinstance(value, list | tuple)
            place += [key] * (not is_list)
            awaited = key * is_list  # its entry tells the place
        else:
            awaited = ""
            value = value[int(number)] if isinstance(value, list | tuple) and int(number) < len(value) else None
            place.append(f"entry {int(number) + 1}" if inner is None else _called(inner, value, int(number)))
    place += [awaited] * bool(awaited)  # a list where a table should be
    return _at(place, _reworded(text, kind, last))


def _reworded(text: str, kind: type[Struct], key: str) -> str:
    """Return what msgspec says of a setting in words of whoever writes the file."""
    if text.startswith("Invalid enum value"):
        words = [word for f in msgspec.structs.fields(kind) if f.name == key for word in _literals(f.type)]
        return f"{text.replace('Invalid enum value', 'there is no')}; give {', '.join(words)}"
    missing = text.partition("Object missing required field ")[2]
    if missing:
        return f"there is no {missing.strip('`')}: give it"
    text = re.sub(r"`(\w+)(?: \| null)?`", lambda found: _WORDS.get(found[1], found[1]), text)
    text = text.replace("Expected", "give").replace(", got", ", not")
    return f"{text}: corners are fractions of the picture's width and height" if key == "polygon" else text


def _literals(kind: Any) -> list[str]:
    if typing.get_origin(kind) is typing.Literal:
        return [str(word) for word in typing.get_args(kind)]
    return [word for inner in typing.get_args(kind) for word in _literals(inner)]


def _from_folder(watch: Watch, folder: Path) -> Watch:
    """Return settings whose relative paths are meant from a folder."""
    replace = msgspec.structs.replace
    cameras = [
        replace(one, source=_source_from(folder, one.source), detect=one.detect and _source_from(folder, one.detect))
        for one in watch.cameras
    ]
    state = None if watch.state is None else _path_from(folder, watch.state)
    directory = _path_from(folder, watch.directory)
    web = watch.web
    if web is not None:
        files = {name: _path_from(folder, file) for name in _TLS if (file := getattr(web, name))}
        web = replace(web, **files)
    return replace(watch, cameras=tuple(cameras), directory=directory, state=state, web=web)


def _path_from(folder: Path, name: str) -> str:
    return str(folder / from_home(name)) if name.strip() else name  # which is refused, where it is empty


def _source_from(folder: Path, source: str) -> str:
    located = locate(source) if source.strip() else source
    return str(folder / located) if isinstance(located, Path) else source


def _warnings(path: Path, data: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what is doubtful: secrets in a file that others can read."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return ()
    if mode & (stat.S_IRGRP | stat.S_IROTH) and _holds_secrets(data):
        return (f"{path.name} holds passwords, and others can read it: chmod 600 {path.name}, or write env:NAME",)
    return ()


def _holds_secrets(value: Any, key: str = "") -> bool:
    if isinstance(value, Mapping):
        return any(_holds_secrets(inner, name) for name, inner in value.items())
    if isinstance(value, list | tuple):
        return any(_holds_secrets(inner, key) for inner in value)
    if not isinstance(value, str) or is_from_environment(value):
        return False
    return key in _SECRET or (key == "apprise") or (key in _ADDRESSES and has_password(value))
