"""Numbers as people write them: 1.234,56; 1 234.5; $1,190; (12.50); 5.3 %; −3; what stands for a missing one."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bgsub.tables.reading import Decimal

MISSING = frozenset(
    {"", "na", "n/a", "#n/a", "#n/a n/a", "#na", "nan", "-nan", "null", "none", "nil", "nat", "<na>", "(null)", "\\n"}
    | {"n.a.", "n.a", "n.d.", "n/d", "nd", "k.a.", "-1.#ind", "-1.#qnan", "1.#ind", "1.#qnan", "missing", "unknown"}
    | {"-", "--", "---", "\N{EN DASH}", "\N{EM DASH}", "?", ".", "..", "...", "*"}
    | {"#div/0!", "#value!", "#ref!", "#name?", "#num!", "#null!"}
)
"""Texts in small letters that mean a missing value where the rest of a column are numbers."""

_CODES = (
    "AED|ARS|AUD|BGN|BRL|CAD|CHF|CLP|CNY|COP|CZK|DKK|EGP|EUR|GBP|HKD|HUF|IDR|ILS|INR|ISK|JPY|KRW|MXN|MYR|NGN|NOK|NZD|"
    "PEN|PHP|PKR|PLN|RON|RUB|SAR|SEK|SGD|THB|TRY|TWD|UAH|USD|VND|ZAR"
)
_UNIT = (
    rf"%|(?:US|[ACR]|NZ|HK|S|MX)?\$|\p{{Sc}}|(?:{_CODES}|{_CODES.lower()})\b|S?Fr\.?|kr\.?|zł|Kč|Ft|Rs\.?|руб\.?|元|円"
)
_SPACES = "[\N{NO-BREAK SPACE}\N{THIN SPACE}\N{NARROW NO-BREAK SPACE}\\s]+"
_PROBED = 1000  # texts that decide whether all are looked at
_MOST = 0.5  # share of texts that have to fit a notation
_OPEN, _CLOSE = r"^[-+(]?\s*", r"\s*[-)]?$"  # around a number and its unit
_READINGS: tuple[tuple[Decimal, str], ...] = (
    *((".", ""), (",", ""), (".", ","), (",", "."), (".", " "), (",", " "), (".", "'"), (",", "'")),
)


@dataclass(frozen=True)
class Notation:
    """How the numbers of a column of text are written.

    Attributes
    ----------
    decimal : {".", ","}
        What stands before the fraction.
    group : {"", ",", ".", " ", "'"}
        What stands between groups of three digits (in India the higher ones are of two).
    before, after : str
        A currency sign or per cent before or after each number.
    missing : frozenset of str
        Texts in small letters that mean a missing value, besides `MISSING`.
    """

    decimal: Decimal = "."
    group: str = ""
    before: str = ""
    after: str = ""
    missing: frozenset[str] = field(default=frozenset())

    @property
    def is_plain(self) -> bool:
        """Whether numbers are written as computers do."""
        return (self.decimal, self.group, self.before, self.after) == (".", "", "", "")

    @property
    def words(self) -> list[str]:
        """What is unusual about it."""
        found = ["decimal commas"] if self.decimal == "," else []
        if self.group:
            found.append("thousands separators")
        for unit in (self.before, self.after):
            if unit:
                found.append("per cent" if unit == "%" else f"the sign {unit}")
        return found

    @property
    def pattern(self) -> str:
        """The regular expression of a tidied number, its amount the only group."""
        point, comma = re.escape(self.decimal), re.escape(self.group)
        whole = r"\d+"
        if self.group:
            whole = rf"[1-9]\d{{0,2}}(?:{comma}\d{{3}})+|\d+"
        if self.group == ",":  # in India
            whole = rf"[1-9]\d?(?:,\d\d)*,\d{{3}}|{whole}"
        amount = rf"(?:(?:{whole})(?:{point}\d*)?|{point}\d+)(?:[eE][-+]?\d+)?"
        before = rf"{_quoted(self.before)}\s*[-+(]?" if self.before else ""
        after = rf"\s*{_quoted(self.after)}" if self.after else ""
        return rf"{_OPEN}{before}\s*(?P<amount>{amount}){after}{_CLOSE}"

    def numbers(self, texts: pa.Array) -> tuple[np.ndarray, int | None]:
        """Return tidied texts as numbers, missing ones as NaN; and the first that is no number, if there is one."""
        if not (self.group or self.before or self.after):
            with contextlib.suppress(pa.ArrowInvalid):  # brackets, or a minus behind
                return self._computed(texts).cast(pa.float64()).to_numpy(zero_copy_only=False), None
        found = pc.struct_field(pc.extract_regex(texts, self.pattern), "amount")
        half = pc.xor(pc.match_substring(texts, "("), pc.match_substring(texts, ")"))  # of a pair of brackets
        faults = pc.and_(pc.is_valid(texts), pc.or_(pc.is_null(found), half))
        if pc.any(faults).as_py():
            return np.empty(0), faults.index(pa.scalar(True)).as_py()
        if self.group:
            found = pc.replace_substring(found, self.group, "")
        if self.decimal == ",":
            found = pc.replace_substring(found, ",", ".")
        numbers = found.cast(pa.float64()).to_numpy(zero_copy_only=False)
        minus = rf"^[-(]|^[+]?\s*{_quoted(self.before)}\s*[-(]|-$"
        is_negative = pc.match_substring_regex(texts, minus).fill_null(False)
        return np.where(is_negative.to_numpy(zero_copy_only=False), -numbers, numbers), None

    def _computed(self, texts: pa.Array) -> pa.Array:
        """Return texts without units and groups as computers write them."""
        if self.decimal == ".":
            return texts
        if pc.any(pc.match_substring(texts, ".")).as_py():
            raise pa.ArrowInvalid("a point where commas stand before fractions")
        return pc.replace_substring(texts, ",", ".")

    def fits(self, texts: pa.Array) -> float:
        """Return the share of tidied texts that are numbers in this notation."""
        return pc.mean(pc.match_substring_regex(texts, self.pattern)).as_py() or 0.0

    def missing_in(self, texts: pa.Array) -> pa.Array:
        """Tell which tidied texts mean a missing value (booleans)."""
        known = pa.array(sorted(MISSING | self.missing), pa.string())
        return pc.is_in(pc.utf8_lower(texts), value_set=known)


def tidied(texts: pa.Array) -> pa.Array:
    """Return texts without the spaces around them, with the signs that keyboards have."""
    texts = pc.utf8_trim_whitespace(texts)
    if not pc.all(pc.string_is_ascii(texts)).as_py():
        texts = pc.replace_substring_regex(texts, _SPACES, " ")
        texts = pc.replace_substring(texts, "\N{MINUS SIGN}", "-")
        texts = pc.replace_substring(texts, "\N{RIGHT SINGLE QUOTATION MARK}", "'")
    return texts


def possible(texts: pa.Array, decimal: Decimal | None) -> dict[Decimal, tuple[Notation, float]]:
    """Return for a decimal point and comma the notation that fits most tidied texts, and the share that it fits.

    Parameters
    ----------
    texts : pyarrow.StringArray
        The values; missing ones are null.
    decimal : {".", ","} or None
        The only one that is possible.

    Returns
    -------
    dict
        Empty where no notation fits more than half of the texts. Both where both fit all texts and mean different
        numbers.
    """
    first = texts.slice(0, _PROBED)
    before, after = _units(first)
    marked = pc.any(pc.match_substring_regex(texts, "[.,]")).as_py()
    found: dict[Decimal, tuple[Notation, float]] = {}
    for point, group in _READINGS:
        if decimal not in (None, point) or (point == "," and decimal is None and not marked):
            continue
        if point in found and found[point][1] == 1.0:
            continue
        notation = Notation(point, group, before, after)
        fits = notation.fits(first)
        if len(texts) > _PROBED and fits > _MOST:
            fits = notation.fits(texts)
        if fits > max(_MOST, found[point][1] if point in found else 0.0):
            found[point] = notation, fits
    best = max((share for _, share in found.values()), default=0.0)
    return {point: (notation, share) for point, (notation, share) in found.items() if share == best}


def _units(texts: pa.Array) -> tuple[str, str]:
    """Return the currency sign or per cent that stands before, and after, most texts."""
    pattern = rf"{_OPEN}(?P<before>{_UNIT})?\s*[-+(]?\s*[\d.,][\d., ']*(?:[eE][-+]?\d+)?\s*(?P<after>{_UNIT})?{_CLOSE}"
    found = pc.extract_regex(texts, pattern).drop_null().to_pylist()
    return _most(value["before"] for value in found), _most(value["after"] for value in found)


def _most(values: Iterable[str]) -> str:
    counts = Counter(values).most_common(1)
    return counts[0][0] if counts else ""


def _quoted(text: str) -> str:
    """Return a text as a regular expression, where RE2 takes other escapes than Python."""
    return "".join(rf"\x{{{ord(c):x}}}" for c in text)
