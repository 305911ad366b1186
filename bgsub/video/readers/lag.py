"""Whether a reader that lags behind a live source will catch up, or frames must be left out for it."""

from __future__ import annotations

import collections

_LEAST_S = 0.5
_SILENCES = 1.2  # what comes in bursts (HLS) waits as long as a burst is long, and lags nevertheless not behind
_EVIDENCE_S = 1.0
_OLD_S = 2.0


class Lag:
    """The age of the oldest frame that waits for the reader, watched while there is no room for more.

    A backlog is no reason to leave frames out as long as it becomes smaller: what gathered while a stream was opened, a
    model was loaded or a picture took long. A reader that is slower than the world loses the oldest frames from then
    on, one by one, so that it stays half a second behind.
    """

    def __init__(self) -> None:
        self._samples: collections.deque[tuple[float, float]] = collections.deque()
        self._too_slow = False

    def is_too_long(self, age: float, silence: float, now: float) -> bool:
        """Say whether the oldest frame is to be left out.

        Parameters
        ----------
        age : float
            Seconds since that frame came.
        silence : float
            Longest seconds lately between two packets.
        now : float
            Seconds of the monotonic clock.
        """
        samples = self._samples
        if samples and now - samples[-1][0] > _OLD_S:  # meanwhile there was room
            samples.clear()
            self._too_slow = False
        samples.append((now, age))
        while len(samples) > 1 and now - samples[1][0] >= _EVIDENCE_S:
            samples.popleft()
        limit = max(_LEAST_S, _SILENCES * silence)
        if now - samples[0][0] >= _EVIDENCE_S and age >= samples[0][1] and age > limit:
            self._too_slow = True
        return self._too_slow and age > limit
