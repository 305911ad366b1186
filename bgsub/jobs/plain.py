"""Frozen dataclasses from plain values, as JSON has them: names and types are checked against the annotations."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from bgsub.errors import ParameterError

T = TypeVar("T")

_IN_WORDS = {str: "a text", int: "a whole number", float: "a number", bool: "true or false", type(None): "nothing"}


def from_plain(kind: type[T], values: Any, where: str) -> T:
    """Return a dataclass made of a mapping, and of mappings in it where its fields are dataclasses themselves.

    Parameters
    ----------
    kind : type
        The dataclass.
    values : mapping
        Values by the names of its fields; what is missing keeps its default.
    where : str
        What to call it in messages.

    Raises
    ------
    ParameterError
        When a name is unknown or missing, or a value is of another type than the field, or refused by the class.
    """
    if not isinstance(values, Mapping):
        raise ParameterError(f"{where}: {_shown(values)} is no mapping of names to values; give one")
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    for name in values:
        if name not in known:
            raise ParameterError(f"{where}: nothing is called {_shown(name)}; there are {', '.join(known)}")
    for name, field in known.items():
        if name not in values and field.default is MISSING and field.default_factory is MISSING:
            raise ParameterError(f"{where}: there is no {name}; add it")
    hints = _hints(kind)
    made = kind(
        **{
            name: from_plain(hints[name], value, f"{where}'s {name}") if is_dataclass(hints[name]) else value
            for name, value in values.items()
        }
    )
    check_types(made)
    return made


def check_types(value: Any) -> None:
    """Raise ParameterError unless every field of a dataclass holds what its annotation says."""
    for name, hint in _hints(type(value)).items():
        found = getattr(value, name)
        if not _fits(found, hint):
            raise ParameterError(f"{name} is {_shown(found)}: give {_in_words(hint)}")


def _hints(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def _fits(value: Any, hint: Any) -> bool:
    """Tell whether a value is what an annotation says; the items of mappings and sequences are left to others."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return any(_fits(value, choice) for choice in get_args(hint))
    if origin is Literal:
        return value in get_args(hint)
    if hint in (int, float):
        return isinstance(value, (int, hint)) and not isinstance(value, bool)
    return isinstance(value, origin or hint)


def _in_words(hint: Any) -> str:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(_in_words(choice) for choice in get_args(hint))
    if origin is Literal:
        return " or ".join(map(repr, get_args(hint)))
    if origin is not None and issubclass(origin, (Mapping, Sequence)):
        return "values by name" if issubclass(origin, Mapping) else "a list"
    return _IN_WORDS.get(hint) or f"one of {hint.__name__}"


def _shown(value: Any) -> str:
    """Return a value as it can stand in a message of one line."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."
