"""Secrets: read from the environment where a setting says so, and left out of whatever is shown."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from bgsub.errors import ParameterError
from bgsub.video.addresses import without_password

_FROM_ENVIRONMENT = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)")


def revealed(text: str, environment: Mapping[str, str] | None = None) -> str:
    """Return a setting's text; of ``env:NAME`` what that variable holds.

    Raises
    ------
    ParameterError
        When there is no such variable, or nothing in it.
    """
    named = _FROM_ENVIRONMENT.fullmatch(text)
    if named is None:
        return text
    value = (os.environ if environment is None else environment).get(named[1], "")
    if not value:
        raise ParameterError(f"the environment has no {named[1]}: set it, or write the value itself")
    return value


def is_from_environment(text: str) -> bool:
    """Tell whether a setting's text names a variable of the environment."""
    return _FROM_ENVIRONMENT.fullmatch(text) is not None


def has_password(address: str) -> bool:
    """Tell whether an address has what `shown` leaves out."""
    return "://" in address and shown(address) != address


def shown(address: str) -> str:
    """Return an address as it may be shown, see `without_password`; what is none stays."""
    return without_password(address) if "://" in address else address
