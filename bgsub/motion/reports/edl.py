"""Events as an edit decision list (CMX 3600): one cut after another of what their clips show."""

from __future__ import annotations

from collections.abc import Sequence

from bgsub.motion.events import Rule
from bgsub.motion.reports.moments import ASSUMED_RATE, frame_span, one_line, rate_of, short_name
from bgsub.motion.results import Scanned
from bgsub.times import frame_timecode


def edl_report(results: Sequence[Scanned], rule: Rule) -> bytes:
    """Return a list of cuts, non-drop, whose source timecodes count frames from 0 at each file's nominal rate.

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
    lines = [f"TITLE: {one_line(names)[:70]}", "FCM: NON-DROP FRAME", ""]
    record_rate = rate_of(found[0]) if found else ASSUMED_RATE
    number, record = 0, 0
    for result in found:
        rate = rate_of(result)
        until = result.facts.duration if result.facts else None
        for event in result.events:
            span = event.padded(rule, until)
            first, after = frame_span(result, span)
            length = max(1, round((after - first) * record_rate / rate))
            source = (frame_timecode(first, rate), frame_timecode(after, rate))
            on_record = (frame_timecode(record, record_rate), frame_timecode(record + length, record_rate))
            number, record = number + 1, record + length
            lines += [
                f"{number:03}  AX       V     C        {' '.join((*source, *on_record))}",
                f"* FROM CLIP NAME: {one_line(short_name(result))}",
                f"* COMMENT: EVENT {event.number}{_about(event.zones, rate, record_rate)}",
            ]
    return ("\r\n".join(lines) + "\r\n").encode("utf-8", "backslashreplace")


def _about(zones: tuple[str, ...], rate: float, record_rate: float) -> str:
    said = f" IN {', '.join(map(one_line, zones))}" if zones else ""
    return said if rate == record_rate else f"{said}, SOURCE AT {rate:.3f} FRAMES/S"
