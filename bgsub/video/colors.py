"""Colours by their names."""

from __future__ import annotations

import re

from bgsub.errors import ParameterError

Color = tuple[int, int, int]
"""Blue, green, red, each 0 to 255."""

COLORS: dict[str, Color] = {
    "magenta": (220, 0, 255),
    "cyan": (255, 220, 0),
    "yellow": (0, 230, 255),
    "orange": (0, 130, 255),
    "green": (60, 230, 40),
    "blue": (255, 90, 20),
    "red": (40, 30, 240),
    "white": (255, 255, 255),
    "black": (0, 0, 0),
}
"""Those that have a name."""


def parse_color(text: str) -> Color:
    """Return the colour that a name or a hexadecimal number means.

    Parameters
    ----------
    text : str
        A name of `COLORS`, or red, green and blue as in HTML: ``#ff00aa``, ``ff00aa``, ``#f0a``.

    Returns
    -------
    tuple of int
        BGR.

    Raises
    ------
    ParameterError
        When it is neither.
    """
    plain = text.strip().lower()
    if plain in COLORS:
        return COLORS[plain]
    digits = plain.removeprefix("#")
    if re.fullmatch(r"[0-9a-f]{3}", digits):
        digits = "".join(digit * 2 for digit in digits)
    if not re.fullmatch(r"[0-9a-f]{6}", digits):
        raise ParameterError(f"{text!r} is no colour: give one of {', '.join(COLORS)}, or one such as #ff00aa")
    return (int(digits[4:], 16), int(digits[2:4], 16), int(digits[:2], 16))
