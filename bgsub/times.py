"""How a moment of a video is written, wherever one is: in summaries, below pictures, along axes."""

from __future__ import annotations


def written_time(seconds: float) -> str:
    """Return a time as it can be typed after ``--start``: ``0:01:30.50``.

    Parameters
    ----------
    seconds : float
        Finite; of a negative time the sign comes first.
    """
    hundredths = round(abs(seconds) * 100)
    minutes, rest = divmod(hundredths, 6000)
    sign = "-" if seconds < 0 and hundredths else ""
    return f"{sign}{minutes // 60}:{minutes % 60:02}:{rest / 100:05.2f}"
