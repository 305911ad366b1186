"""Colours by name."""

import pytest

from bgsub.errors import ParameterError
from bgsub.video.colors import COLORS, parse_color


@pytest.mark.parametrize(
    ("text", "bgr"),
    [
        ("#ff8000", (0, 128, 255)),
        ("FF8000", (0, 128, 255)),
        ("#f80", (0, 136, 255)),
        (" Magenta ", COLORS["magenta"]),
        ("black", (0, 0, 0)),
        ("000", (0, 0, 0)),
    ],
)
def test_names_and_numbers(text, bgr):
    assert parse_color(text) == bgr


@pytest.mark.parametrize("text", ["", "mauve", "#ff80", "#ff80001", "0xff8000", "#gg0000", "255,0,0"])
def test_others_are_refused(text):
    with pytest.raises(ParameterError, match=r"is no colour: give one of magenta, cyan, .*, or one such as #ff00aa"):
        parse_color(text)


def test_all_that_have_a_name_are_different_and_in_range():
    assert len(set(COLORS.values())) == len(COLORS)
    assert all(len(color) == 3 and all(0 <= level <= 255 for level in color) for color in COLORS.values())
