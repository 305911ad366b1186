"""The last seconds of a camera's packets, from a key frame on."""

from __future__ import annotations

import collections

from bgsub.video.live.packets import Kept


class Ring:
    """Packets that lie back no further than needed, bounded in bytes; the first is always a key frame.

    Parameters
    ----------
    seconds : float
        A key frame that lies this far back, or the last one before, is kept, with all that follows.
    most_bytes : int
        Bytes beyond which the oldest go, from key frame to key frame; where these lie further apart than that, nothing
        is kept until the next.

    Attributes
    ----------
    n_bytes : int
        Held now.
    """

    def __init__(self, seconds: float, most_bytes: int) -> None:
        self.n_bytes = 0
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._packets: collections.deque[Kept] = collections.deque()
        self._keys: collections.deque[float] = collections.deque()  # times of the key frames among them

    def __len__(self) -> int:
        return len(self._packets)

    def push(self, kept: Kept) -> None:
        """Append the next packet; before the first key frame none is kept."""
        is_key = kept.is_video and kept.is_key
        if not (self._packets or is_key):
            return
        self._packets.append(kept)
        self.n_bytes += len(kept.data)
        if is_key:
            self._keys.append(kept.time)
        while len(self._keys) > 1 and (kept.time - self._keys[1] >= self._seconds or self.n_bytes > self._most_bytes):
            self._drop_first()
        if self.n_bytes > self._most_bytes:
            self.clear()

    def since(self, time: float) -> list[Kept]:
        """Return the packets from the last key frame at or before a time; from the first where that lies before."""
        start = 0
        for index, kept in enumerate(self._packets):
            if kept.is_video and kept.is_key:
                if kept.time > time:
                    break
                start = index
        return list(self._packets)[start:]

    def clear(self) -> None:
        """Keep nothing of what came so far."""
        self._packets.clear()
        self._keys.clear()
        self.n_bytes = 0

    def _drop_first(self) -> None:
        """Drop what lies before the second key frame."""
        self._keys.popleft()
        while True:
            self.n_bytes -= len(self._packets.popleft().data)
            if self._packets[0].is_video and self._packets[0].is_key:
                return
