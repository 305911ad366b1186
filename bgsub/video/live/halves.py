"""Pictures that come in several packets are made whole."""

from __future__ import annotations

from bgsub.video.live.packets import Kept

_MOST_BYTES = 32 << 20


class Halves:
    """Joins packets of pictures that have one time.

    FFmpeg cuts a picture in two where a camera repeats its parameters before each slice; in a file, or a decoder,
    neither half would be a picture.

    Attributes
    ----------
    seen : bool
        There were such.
    """

    def __init__(self) -> None:
        self.seen = False
        self._held: Kept | None = None

    def put(self, kept: Kept) -> Kept | None:
        """Take a packet of pictures; return the one before as soon as it is known to be whole."""
        held, self._held = self._held, kept
        if held is None or held.pts != kept.pts or len(held.data) + len(kept.data) > _MOST_BYTES:
            return held
        self.seen = True
        self._held = held._replace(data=held.data + kept.data)
        return None

    def rest(self) -> Kept | None:
        """Return what is held, at the end."""
        held, self._held = self._held, None
        return held
