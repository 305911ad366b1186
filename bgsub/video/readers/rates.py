"""How many frames a second a container has: what it states, checked against the time stamps of its first packets."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Iterable, Sequence
from fractions import Fraction

import av

from bgsub.video.rational import fraction
from bgsub.video.readers.demuxing import Input, size_of

MAX_RATE = 100_000
"""Frames per second above which no rate is believed."""

_TELEVISION = tuple(Fraction(rate * 1000, 1001) for rate in (24, 30, 60, 120))
_TOO_HIGH = Fraction(3, 2)  # a stated rate that many times the measured one is not true
_TOO_LOW = 3  # and one that many times below it; fields of interlaced video come as packets of their own, twice as many
_REGULAR = 1.5  # ticks from frame to frame, at most, where every tick has one
_NEAR = 1 / 4000  # stamps of whole milliseconds tell 29.97 from 30
_UNLIKELY = 8  # a file has no parts with so many times the bytes a second of others
_GAP_S = 10.0  # a pause, or a clock that was set: tells nothing of the rate


def is_certain(opened: Input) -> bool:
    """Say whether a container knows its mean rate, because it counts its frames (mp4, avi)."""
    return bool(opened.stream.frames and stated_rate(opened) and fraction(opened.stream.average_rate))


def is_doubtful(opened: Input) -> bool:
    """Say whether a container states no rate, or only that of its clock, which says nothing of its frames."""
    rate, time_base = stated_rate(opened), fraction(opened.stream.time_base)
    return rate is None or bool(time_base and rate * time_base == 1)


def stated_rate(opened: Input) -> Fraction | None:
    """Return the frames per second that a container states or FFmpeg guesses, None where there are none."""
    for rate in (fraction(opened.stream.average_rate), fraction(opened.stream.guessed_rate)):
        if rate and 0 < rate <= MAX_RATE:
            return rate
    return None


def nominal_rate(opened: Input, stamps: Iterable[int | None]) -> Fraction | None:
    """Return the frames per second of a container, None where nothing tells them.

    Parameters
    ----------
    opened : Input
        Its header.
    stamps : iterable of int or None
        Time stamps of its first packets, in ticks; as many as are at hand.
    """
    stated = stated_rate(opened)
    if is_certain(opened):
        return stated
    time_base = fraction(opened.stream.time_base)
    measured = measured_rate(stamps, time_base) if time_base else None
    if measured is None:
        guessed = not fraction(opened.stream.average_rate)
        return None if guessed and is_doubtful(opened) else stated
    if stated is None or stated > _TOO_HIGH * measured or measured > _TOO_LOW * stated:
        return measured
    return stated


def camera_rate(measured: float | None) -> Fraction | None:
    """Return the rate of a camera whose packets came at this rate for a moment: a whole number, if any is near."""
    if not measured:
        return None
    whole = max(round(measured), 1)
    return Fraction(whole) if abs(whole - measured) < 0.1 * measured else Fraction(measured).limit_denominator(10)


def measured_rate(stamps: Iterable[int | None], time_base: Fraction) -> Fraction | None:
    """Return the mean frames per second that time stamps show, None for fewer than two different ones.

    A rate within the error of the mean is taken for the one that is meant: 29.93, of uneven stamps, for 30.
    """
    told = [stamp for stamp in stamps if stamp is not None]
    known = sorted(set(told))
    steps = [step * float(time_base) for step in (b - a for a, b in itertools.pairwise(known))]
    steps = [step for step in steps if step < _GAP_S] or steps
    if not steps:
        return None
    step = statistics.fmean(steps)
    if step < _REGULAR * time_base and len(told) > len(known):
        # More frames than ticks: a high-speed camera in milliseconds.
        step *= (len(known) - 1) / (len(told) - 1)
    rate = 1 / step
    if rate > MAX_RATE:
        return None
    error = 2 * rate * statistics.pstdev(steps) / math.sqrt(len(steps)) / step
    whole = Fraction(round(rate)) if rate >= 1 else 1 / Fraction(round(step))
    for meant, tolerance in ((whole, rate * _NEAR), *((one, rate * _NEAR) for one in _TELEVISION), (whole, error)):
        if abs(float(meant) - rate) <= tolerance:
            return meant
    return Fraction(rate).limit_denominator(100) or None


def joined_length(packets: Sequence[av.Packet], whole: bool, stated: float | None, opened: Input) -> float | None:
    """Return the seconds of a file that may have been joined of several, None where they are not known.

    What such a format states is the difference of two clocks, of the file's first and last part.

    Parameters
    ----------
    packets : sequence of av.Packet
        The first ones.
    whole : bool
        There are no others.
    stated : float or None
        The length that the container states.
    opened : Input
        Its header.
    """
    time_base = float(fraction(opened.stream.time_base) or Fraction(1, 90_000))
    stamps = [stamp for data in packets if (stamp := data.dts if data.dts is not None else data.pts) is not None]
    steps = [(later - earlier) * time_base for earlier, later in itertools.pairwise(stamps)]
    regular = [step for step in steps if 0 < step < _GAP_S]
    if 2 * len(regular) < len(steps):
        regular = [step for step in steps if step > 0]  # a time lapse
    if stated is None or not regular:
        return stated
    period = statistics.median(regular)
    if whole:
        return sum(regular) + period * (len(steps) - len(regular) + 1)
    places = [data.pos for data in packets if data.pos is not None and data.pos >= 0]
    read = max(places) - min(places) if places else 0
    size = size_of(opened.container)
    likely = sum(regular) * (size or 0) / read if read > 0 else stated
    return stated if likely / _UNLIKELY < stated < likely * _UNLIKELY else None
