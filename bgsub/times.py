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


def timecode(seconds: float) -> str:
    """Return a time as programs of the trade write it: ``00:01:30.500``, hours of two digits or more.

    Parameters
    ----------
    seconds : float
        Finite; of a negative time the sign comes first.
    """
    thousandths = round(abs(seconds) * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    sign = "-" if seconds < 0 and thousandths else ""
    return f"{sign}{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}.{rest % 1000:03}"


def frame_timecode(frame: int, rate: float) -> str:
    """Return the timecode of a frame, ``00:01:30:12``, which counts frames and drops no number.

    At a rate like 29.97 it counts 30 to a second, as editing programs do, and so runs slower than the clock.

    Parameters
    ----------
    frame : int
        From 0.
    rate : float
        Frames per second.
    """
    base = max(1, round(rate))
    seconds, frames = divmod(frame, base)
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}:{frames:0{max(2, len(str(base - 1)))}}"
