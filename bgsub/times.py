"""How a moment of a video is written, wherever one is: in summaries, below pictures, along axes."""

from __future__ import annotations

import re

_TIMECODE = re.compile(r"(\d\d):(\d\d):(\d\d)([:;.,])(\d\d)")


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


def frame_timecode(frame: int, rate: float, *, drop: bool = False) -> str:
    """Return the timecode of a frame, ``00:01:30:12``, which counts frames.

    At a rate like 29.97 it counts 30 to a second, as editing programs do, and so runs slower than the clock; a
    drop-frame timecode, ``00:01:30;12``, leaves out numbers (never frames) to keep up with it. Each day begins anew.

    Parameters
    ----------
    frame : int
        From 0.
    rate : float
        Frames per second.
    drop : bool
        Leave out the first two numbers (at 59.94 four) of each minute that is no tenth one.
    """
    base = max(1, round(rate))
    if drop:
        left_out = _left_out(base)
        tens, rest = divmod(frame, 10 * 60 * base - 9 * left_out)
        # The first minute of ten is whole, the others are short.
        frame += 9 * left_out * tens + left_out * max(0, (rest - left_out) // (60 * base - left_out))
    seconds, frames = divmod(frame, base)
    minutes, seconds = divmod(seconds, 60)
    sign = ";" if drop else ":"
    return f"{minutes // 60 % 24:02}:{minutes % 60:02}:{seconds:02}{sign}{frames:0{max(2, len(str(base - 1)))}}"


def frame_of_timecode(text: str, rate: float) -> tuple[int, bool] | None:
    """Return the number of frames from 00:00:00:00 to a timecode, and whether it is one of drop-frame.

    Parameters
    ----------
    text : str
        As files have it: ``10:00:00:00``, and with ``;`` or ``.`` before the frames where numbers are left out.
    rate : float
        Frames per second.

    Returns
    -------
    (int, bool) or None
        None where it is no timecode of that rate.
    """
    found, base = _TIMECODE.fullmatch(text.strip()), max(1, round(rate))
    if found is None:
        return None
    hours, minutes, seconds, frames = (int(found[i]) for i in (1, 2, 3, 5))
    drop = found[4] != ":" and base % 30 == 0
    skipped = drop and seconds == 0 and minutes % 10 and frames < _left_out(base)
    if hours > 23 or minutes > 59 or seconds > 59 or frames >= base or skipped:
        return None
    minutes += 60 * hours
    left_out = _left_out(base) * (minutes - minutes // 10) if drop else 0
    return (60 * minutes + seconds) * base + frames - left_out, drop


def _left_out(base: int) -> int:
    """Return the numbers that drop-frame leaves out of a minute."""
    return base // 15
