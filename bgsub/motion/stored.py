"""Values of this room as JSON has them, and back: what is read comes from outside and is checked against annotations.

A named tuple is a list of its fields, a dataclass an object by its fields' names, a time of the world ISO 8601. Arrays
are compressed: pictures as PNG, numbers as zlib's, both in base 64. None is unpacked before its size is known to be
in bounds.
"""

from __future__ import annotations

import base64
import binascii
import functools
import math
import struct
import types
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import cv2
import numpy as np

from bgsub.errors import ParameterError

T = TypeVar("T")

LARGEST_PICTURE = 1 << 24
"""Pixels of a heat map or background that is read."""

_LONGEST_TEXT = 1 << 16
_LARGEST_NUMBER = 2**53  # what JSON's readers agree on
_PNG_BEGINNING = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"


def as_plain(value: Any) -> Any:
    """Return a value of dataclasses, tuples, texts, numbers and datetimes in types that JSON has."""
    if is_dataclass(value):
        return {field.name: as_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, (tuple, list)):
        return [as_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return value


def from_plain(kind: type[T], value: Any, where: str) -> T:
    """Return a value of a type, made of types that JSON has.

    Parameters
    ----------
    kind : type
        A dataclass, a named tuple, ``tuple[X, ...]``, ``tuple[X, Y]``, a union, a literal, str, int, float, bool, None
        or datetime.
    value : object
        As `as_plain` returns it. Of a dataclass fields with a default may be missing.
    where : str
        What to call it in messages.

    Raises
    ------
    ParameterError
        When it is anything else, a number is not finite, or a text has more than 64 KiB.
    """
    made: T = _made(kind, value, where)
    return made


def damage(where: str, evidence: str) -> ParameterError:
    """Return the error that says what is wrong with a stored result, and where."""
    return ParameterError(f"{where} {evidence}: the stored result is damaged; scan again")


def _made(kind: Any, value: Any, where: str) -> Any:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _made_of_union(get_args(kind), value, where)
    if origin is Literal:
        if isinstance(value, str) and value in get_args(kind):
            return value
    elif origin is tuple:
        return _made_tuple(get_args(kind), value, where)
    elif isinstance(kind, type) and is_dataclass(kind):
        return _made_dataclass(kind, value, where)
    elif isinstance(kind, type) and issubclass(kind, tuple):
        return kind(*_made_tuple(tuple(_hints(kind).values()), value, where))
    elif kind is type(None):
        if value is None:
            return None
    elif kind is datetime:
        return _made_datetime(value, where)
    elif kind is float:
        if type(value) in (int, float) and math.isfinite(value):
            return float(value)
    elif kind is int:
        if type(value) is int and abs(value) <= _LARGEST_NUMBER:
            return value
    elif type(value) is kind and not (kind is str and len(value) > _LONGEST_TEXT):
        return value
    raise damage(where, f"is {_shown(value)}")


def _made_of_union(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None and type(None) in kinds:
        return None
    refusals = []
    for kind in kinds:
        if kind is not type(None):
            try:
                return _made(kind, value, where)
            except ParameterError as error:
                refusals.append(error)
    raise refusals[0]


def _made_tuple(kinds: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise damage(where, f"is {_shown(value)}, no list")
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return tuple(_made(kinds[0], item, f"{where}[{i}]") for i, item in enumerate(value))
    if len(value) != len(kinds):
        raise damage(where, f"has {len(value)} items where {len(kinds)} belong")
    return tuple(_made(kind, item, f"{where}[{i}]") for i, (kind, item) in enumerate(zip(kinds, value, strict=True)))


def _made_dataclass(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, Mapping):
        raise damage(where, f"is {_shown(value)}, no object")
    known = {field.name: field for field in fields(kind)}
    for name in value:
        if name not in known:
            raise damage(where, f"has {_shown(name)}, which nothing is called")
    for name, field in known.items():
        if name not in value and field.default is MISSING and field.default_factory is MISSING:
            raise damage(where, f"has no {name}")
    hints = _hints(kind)
    return kind(**{name: _made(hints[name], item, f"{where}.{name}") for name, item in value.items()})


def _made_datetime(value: Any, where: str) -> datetime:
    if isinstance(value, str) and len(value) <= 40:
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            pass
    raise damage(where, f"is {_shown(value)}, no date with a time")


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    """Return the annotations of a dataclass's or named tuple's fields, in their order."""
    hints = get_type_hints(kind)
    names = [field.name for field in fields(kind)] if is_dataclass(kind) else kind._fields  # type: ignore[attr-defined]
    return {name: hints[name] for name in names}


def packed_numbers(array: np.ndarray) -> dict[str, Any]:
    """Return an array of floats as JSON can keep it, bit for bit."""
    array = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    data = base64.b64encode(zlib.compress(array.tobytes())).decode("ascii")
    return {"dtype": array.dtype.str, "shape": list(array.shape), "zlib": data}


def unpacked_numbers(value: Any, dtype: type, n_dimensions: int, where: str) -> np.ndarray:
    """Return what `packed_numbers` packed.

    Parameters
    ----------
    value : object
        What is said to be it.
    dtype : type
        Of its numbers.
    n_dimensions : int
        How many it must have.
    where : str
        What to call it in messages.
    """
    expected = np.dtype(dtype).newbyteorder("<")
    match value:
        case {"dtype": expected.str, "shape": [*shape], "zlib": str(data)} if len(shape) == n_dimensions:
            pass
        case _:
            raise damage(where, "is not laid out as it should be")
    if not all(type(n) is int and 0 <= n <= LARGEST_PICTURE for n in shape) or math.prod(shape) > LARGEST_PICTURE:
        raise damage(where, f"claims a size of {_shown(shape)}")
    size = math.prod(shape) * expected.itemsize
    unpacking = zlib.decompressobj()
    try:
        raw = unpacking.decompress(base64.b64decode(data, validate=True), size + 1)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise damage(where, f"cannot be unpacked ({error})") from error
    if len(raw) != size or (not unpacking.eof and unpacking.decompress(unpacking.unconsumed_tail, 1)):
        raise damage(where, f"does not have the {size} bytes that its shape promises")
    array: np.ndarray = np.frombuffer(raw, expected).reshape(shape).astype(dtype)
    if not np.isfinite(array).all():
        raise damage(where, "holds numbers that are not finite")
    return array


def packed_picture(image: np.ndarray) -> dict[str, str]:
    """Return a picture of uint8, grey or BGR, as JSON can keep it, bit for bit."""
    _, data = cv2.imencode(".png", image)
    return {"png": base64.b64encode(data.tobytes()).decode("ascii")}


def unpacked_picture(value: Any, where: str) -> np.ndarray:
    """Return what `packed_picture` packed.

    Parameters
    ----------
    value : object
        What is said to be it.
    where : str
        What to call it in messages.
    """
    match value:
        case {"png": str(data)}:
            pass
        case _:
            raise damage(where, "is not laid out as it should be")
    try:
        raw = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise damage(where, f"cannot be unpacked ({error})") from error
    if len(raw) < 33 or not raw.startswith(_PNG_BEGINNING):
        raise damage(where, "is no PNG")
    width, height, bits, colour = struct.unpack(">IIBB", raw[16:26])
    if width * height > LARGEST_PICTURE or bits != 8 or colour not in (0, 2):
        raise damage(where, f"claims a picture of {width}x{height} pixels, {bits} bits, colour type {colour}")
    image = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None or image.shape[:2] != (height, width):
        raise damage(where, "cannot be decoded")
    return image


def _shown(value: Any) -> str:
    """Return a value as it can stand in a message of one line."""
    text = ascii(value) if isinstance(value, (str, int, float, type(None))) else f"a {type(value).__name__}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        text = ascii(list(value[:4]))
    return text if len(text) <= 60 else f"{text[:57]}..."
