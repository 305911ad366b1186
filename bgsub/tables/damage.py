"""Damaged files: whatever a library raises at them is one line."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterable, Iterator
from typing import TypeVar

from bgsub.errors import BgsubError
from bgsub.tables.table import refusal

_LONGEST = 200  # characters of a library's reason
_Block = TypeVar("_Block")


@contextlib.contextmanager
def damage_named(name: str, what: str) -> Iterator[None]:
    """Turn what a library raises or warns of while the block runs into one error.

    A parser that meets damaged bytes raises what its author did not think of (NumPy a TokenError, zipfile a
    struct.error), so every kind of exception counts; those of bgsub pass.

    Parameters
    ----------
    name : str
        What messages call the table.
    what : str
        What it should be: "Parquet file".

    Raises
    ------
    SourceError
        One line with the library's reason.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except BgsubError:
        raise
    except Exception as error:
        told = error.args[0] if error.args and isinstance(error.args[0], str) else str(error)
        lines = told.splitlines() or [type(error).__name__]
        reason = "".join(c if c.isprintable() else "?" for c in lines[0][:_LONGEST])
        raise refusal(name, f"it is no {what}, or damaged ({reason}); copy it again from its source") from error


def undamaged(blocks: Iterable[_Block], name: str, what: str) -> Iterator[_Block]:
    """Yield what a library's reader yields; errors as of `damage_named`."""
    iterator = iter(blocks)
    end = object()
    while True:
        with damage_named(name, what):
            block = next(iterator, end)
        if block is end:
            return
        yield block  # type: ignore[misc]  # it is no end
