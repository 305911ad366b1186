"""Rational numbers of PyAV, of all its versions."""

from __future__ import annotations

import ast
import math
from fractions import Fraction
from pathlib import Path

import av
import pytest

import bgsub.video
from bgsub.errors import ParameterError
from bgsub.video.rational import as_rate, fraction

RATIONALS = {"time_base", "average_rate", "base_rate", "guessed_rate", "framerate", "sample_aspect_ratio"}


class Ratio:
    """As PyAV 19 has them: false where they are no number."""

    def __init__(self, numerator: int, denominator: int) -> None:
        self.numerator, self.denominator = numerator, denominator

    def __bool__(self) -> bool:
        return bool(self.numerator and self.denominator)


KINDS = [Fraction, Ratio, getattr(av, "AVRational", Ratio)]  # PyAV has its own from 18 on


@pytest.mark.parametrize("kind", KINDS)
def test_a_rational_is_a_fraction(kind: type) -> None:
    value = fraction(kind(30_000, 1001))
    assert type(value) is Fraction
    assert value == Fraction(30_000, 1001)


@pytest.mark.parametrize("kind", KINDS[1:])
@pytest.mark.parametrize("terms", [(0, 1), (1, 0), (-1, 0), (0, 0)])
def test_what_is_not_set_is_none(kind: type, terms: tuple[int, int]) -> None:
    assert fraction(kind(*terms)) is None


def test_what_is_not_set_was_none_or_nought() -> None:
    assert fraction(None) is None
    assert fraction(Fraction(0)) is None


def readings(source: str) -> set[str]:
    """Names of PyAV's rationals that are read of a stream without `fraction`."""
    tree = ast.parse(source)
    called = {
        id(argument)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "fraction"
        for argument in call.args
    }
    return {
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and id(node) not in called
        if node.attr in RATIONALS and ast.unparse(node.value).rpartition(".")[2] in {"stream", "context", "data"}
    }


def test_nothing_reads_a_rational_of_pyav_past_this_function() -> None:
    assert readings("x = stream.time_base") == {"stream.time_base"}
    assert readings("x = fraction(self.stream.time_base)") == set()
    for file in Path(bgsub.video.__path__[0]).rglob("*.py"):
        assert readings(file.read_text()) == set(), file


@pytest.mark.parametrize(
    ("given", "rate"),
    [
        (25, Fraction(25)),
        (29.97, Fraction(2997, 100)),
        (29.97002997002997, Fraction(30000, 1001)),
        (Fraction(30000, 1001), Fraction(30000, 1001)),
        (Fraction(29.97), Fraction(2997, 100)),  # with numbers too large for FFmpeg
        (1 / 3600, Fraction(1, 3600)),
        (1e-7, Fraction(1, 10**7)),
        (100_000, Fraction(100_000)),
    ],
)
def test_frame_rates(given: float | Fraction, rate: Fraction) -> None:
    assert as_rate(given) == rate


@pytest.mark.parametrize("given", [0, -25, 100_001, math.nan, math.inf, 1e-11, "25", None])
def test_frame_rates_that_are_none(given: object) -> None:
    with pytest.raises(
        ParameterError, match=r"^fps=.* is out of bounds; give frames per second above 0, up to 100000$"
    ):
        as_rate(given)  # type: ignore[arg-type]
