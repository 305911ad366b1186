"""Passwords and tokens: what is kept is a hash by scrypt, with its parameters, from which none is found again."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import unicodedata
from typing import NamedTuple

from bgsub.errors import ParameterError

LONGEST, SHORTEST = 1024, 8
"""Characters of a password."""

_N, _R, _P, _BYTES = 2**14, 8, 5, 32  # 16 MiB and some 0.2 s: a small machine must bear it, a guesser a million times
_MOST_N, _MOST_R, _MOST_P = 2**17, 16, 16
_HASH = re.compile(r"scrypt\$n=(\d{1,7}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/=]{16,128})\$([A-Za-z0-9+/=]{24,128})")


class Hash(NamedTuple):
    """A hash with what it was made with; as a text ``scrypt$n=16384,r=8,p=5$SALT$KEY``, both in base64."""

    n: int
    r: int
    p: int
    salt: bytes
    key: bytes


def hashed(password: str) -> str:
    """Return the hash of a password, as a setting has it.

    Raises
    ------
    ParameterError
        When it is too short, or too long.

    Examples
    --------
    >>> matches("correct horse", read_hash(hashed("correct horse")))
    True
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise ParameterError(f"the password has {len(password)} characters: give one of {SHORTEST} to {LONGEST}")
    salt = secrets.token_bytes(16)
    key = _key(password, Hash(_N, _R, _P, salt, bytes(_BYTES)))
    written = (base64.b64encode(part).decode("ascii") for part in (salt, key))
    return "$".join([f"scrypt$n={_N},r={_R},p={_P}", *written])


def read_hash(text: str) -> Hash:
    """Return the hash that a setting has.

    Raises
    ------
    ParameterError
        When it is none, or one that would take more memory or time than a login may.
    """
    found = _HASH.fullmatch(text)
    if found is None:
        raise ParameterError("hash is none: give what bgsub watch --hash-password prints")
    n, r, p = (int(number) for number in found.group(1, 2, 3))
    if not (1 < n <= _MOST_N and n & (n - 1) == 0 and 1 <= r <= _MOST_R and 1 <= p <= _MOST_P):
        raise ParameterError(f"hash has n={n}, r={r}, p={p}: n is a power of two up to {_MOST_N}, r and p are up to 16")
    try:
        salt, key = (base64.b64decode(part, validate=True) for part in found.group(4, 5))
    except binascii.Error:
        raise ParameterError("hash is no base64: give what bgsub watch --hash-password prints") from None
    return Hash(n, r, p, salt, key)


def matches(password: str, known: Hash) -> bool:
    """Tell whether a password is the one of a hash; takes as long either way."""
    return len(password) <= LONGEST and hmac.compare_digest(_key(password, known), known.key)


def _key(password: str, known: Hash) -> bytes:
    plain = unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
    room = 128 * known.n * known.r + 128 * known.r * known.p + 2**20
    return hashlib.scrypt(
        plain, salt=known.salt, n=known.n, r=known.r, p=known.p, maxmem=2 * room, dklen=len(known.key)
    )
