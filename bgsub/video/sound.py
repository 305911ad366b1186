"""Where the sound of a video is, for whoever writes its pictures anew."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Sound:
    """Sound that belongs to a source's frames, in a file that can be opened a second time.

    Attributes
    ----------
    path : str
        The file.
    origin : Fraction
        Seconds, on the file's own clock, of what the source calls 0.
    """

    path: str
    origin: Fraction
