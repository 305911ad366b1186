"""Hashes: by a known scheme, bounded, and of no use to who reads them."""

import hashlib

import pytest

from bgsub.errors import ParameterError
from bgsub.live.configuration.passwords import hashed, matches, read_hash


def test_a_hash_is_scrypt_with_its_parameters_in_it():
    text = hashed("correct horse")
    known = read_hash(text)
    assert text.startswith("scrypt$n=16384,r=8,p=5$") and "correct" not in text
    assert known.key == hashlib.scrypt(b"correct horse", salt=known.salt, n=16384, r=8, p=5, maxmem=2**26, dklen=32)
    assert matches("correct horse", known)
    assert not matches("correct horsf", known) and not matches("", known) and not matches("x" * 5000, known)
    assert hashed("correct horse") != text


def test_one_password_typed_two_ways_is_one():
    assert matches("caf\u00e9 caf\u00e9", read_hash(hashed("cafe\u0301 cafe\u0301")))


@pytest.mark.parametrize("password", ["", "seven77", "x" * 1025])
def test_a_password_has_a_length(password):
    with pytest.raises(ParameterError, match=f"the password has {len(password)} characters: give one of 8 to 1024"):
        hashed(password)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("secret", "hash is none: give what bgsub watch --hash-password prints"),
        ("scrypt$n=16384,r=8,p=5$AAAA$AAAA", "hash is none"),
        (f"scrypt$n=1048576,r=8,p=1${'A' * 24}${'A' * 44}", "hash has n=1048576, r=8, p=1: n is a power of two up to"),
        (f"scrypt$n=16383,r=8,p=1${'A' * 24}${'A' * 44}", "hash has n=16383"),
        (f"scrypt$n=16384,r=99,p=1${'A' * 24}${'A' * 44}", "hash has n=16384, r=99"),
        (f"scrypt$n=16384,r=8,p=0${'A' * 24}${'A' * 44}", "hash has n=16384, r=8, p=0"),
        (f"scrypt$n=16384,r=8,p=1${'A' * 25}${'A' * 44}", "hash is no base64"),
    ],
)
def test_what_is_no_hash_is_told(text, told):
    with pytest.raises(ParameterError) as caught:
        read_hash(text)
    assert str(caught.value).startswith(told)
