"""Events as an edit decision list (CMX 3600): one cut after another of what their clips show."""

from __future__ import annotations

from collections.abc import Sequence

from bgsub.motion.events import Rule
from bgsub.motion.reports.moments import ASSUMED_RATE, frame_span, one_line, rate_of, short_name, start_of
from bgsub.motion.results import Scanned
from bgsub.times import frame_timecode

_MODES = {False: "FCM: NON-DROP FRAME", True: "FCM: DROP FRAME"}


def edl_report(results: Sequence[Scanned], rule: Rule) -> bytes:
    """Return a list of cuts, whose source timecodes count frames at each file's nominal rate.

    They begin with the file's own timecode, and where it has none with 0; the record begins with that of the first.
    Where a rate is not whole, 30 frames of 29.97/s are a second, as in editing programs: frames are counted, never
    converted from seconds of the clock, so that nothing drifts.

    Parameters
    ----------
    results : sequence of Scanned
        Their events.
    rule : Rule
        With the padding.
    """
    found = [result for result in results if result.events]
    names = short_name(found[0]) + " and others" * (len(found) > 1) if found else "nothing moved"
    record_rate, record, record_drops = ASSUMED_RATE, 0, False
    if found:
        record_rate, (record, record_drops) = rate_of(found[0]), start_of(found[0])
    mode = _MODES[record_drops]
    lines = [f"TITLE: {one_line(names)[:70]}", mode, ""]
    number = 0
    for result in found:
        rate, (start, drops) = rate_of(result), start_of(result)
        until = result.facts.duration if result.facts else None
        if _MODES[drops] != mode:  # holds for all cuts that follow
            mode = _MODES[drops]
            lines.append(mode)
        for event in result.events:
            first, after = frame_span(result, event.padded(rule, until))
            length = max(1, round((after - first) * record_rate / rate))
            source = (_written(start + frame, rate, drops) for frame in (first, after))
            on_record = (_written(frame, record_rate, record_drops) for frame in (record, record + length))
            number, record = number + 1, record + length
            lines += [
                f"{number:03}  AX       V     C        {' '.join((*source, *on_record))}",
                f"* FROM CLIP NAME: {one_line(short_name(result))}",
                f"* COMMENT: EVENT {event.number}{_about(event.zones, rate, record_rate)}",
            ]
    return ("\r\n".join(lines) + "\r\n").encode("utf-8", "backslashreplace")


def _written(frame: int, rate: float, drop: bool) -> str:
    return frame_timecode(frame, rate, drop=drop)


def _about(zones: tuple[str, ...], rate: float, record_rate: float) -> str:
    said = f" IN {', '.join(map(one_line, zones))}" if zones else ""
    return said if rate == record_rate else f"{said}, SOURCE AT {rate:.3f} FRAMES/S"
