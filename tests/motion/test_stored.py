"""A result goes through JSON and comes back as it was; whatever else stands there is refused in one line."""

import base64
import json
import struct
import zlib
from dataclasses import fields, replace

import numpy as np
import pytest

from bgsub.errors import ParameterError
from bgsub.motion.results import Activity, Scanned
from bgsub.pipeline import Tally
from tests.motion.scanned import failed_result, some_event, some_result, some_track


def same(one, other):
    """Whether two results hold the same, to the bit and to the type."""
    arrays = ("heat", "background", "activity")
    for name in ("heat", "background"):
        a, b = getattr(one, name), getattr(other, name)
        if (a is None) != (b is None):
            return False
        if a is not None and not (a.dtype == b.dtype and np.array_equal(a, b)):
            return False
    if (one.activity is None) != (other.activity is None):
        return False
    if one.activity is not None:
        for a, b in zip(vars(one.activity).values(), vars(other.activity).values(), strict=True):
            if not (a.dtype == b.dtype and np.array_equal(a, b)):
                return False
    return replace(one, **dict.fromkeys(arrays)) == replace(other, **dict.fromkeys(arrays))


@pytest.mark.parametrize(
    "result",
    [
        some_result(),
        some_result(background=np.arange(200, dtype=np.uint8).reshape(10, 20)),
        some_result(heat=None, background=None, activity=None, tracks=(), events=()),
        some_result(activity=Activity(np.empty(0), np.empty(0, np.float32)), heat=np.zeros((1, 1), np.float32)),
        some_result(source=("a.mp4", "b \udcff\n.mp4")),
        failed_result(),
        Scanned(None),
    ],
)
def test_a_result_comes_back_from_json_as_it_was(result):
    back = Scanned.from_dict(json.loads(json.dumps(result.as_dict(), allow_nan=False)))
    assert same(result, back)


def test_what_differs_is_seen_by_the_comparison():
    result = some_result()
    assert not same(result, replace(result, heat=result.heat + 1))
    assert not same(result, replace(result, background=result.background[..., 0]))
    assert not same(result, replace(result, events=(some_event(evidence=0.86),)))


def test_every_field_of_a_result_is_told():
    assert {field.name for field in fields(Scanned)} == set(Scanned(None).as_dict()) - {"format"}


def test_thousands_of_sightings_are_short():
    result = some_result(tracks=(some_track(n=5000),))
    assert len(json.dumps(result.as_dict()["tracks"])) < 5000 * 80


def changed(path, value):
    """A stored result with something else in one place; `None` of a path takes the key away."""
    stored = json.loads(json.dumps(some_result().as_dict()))
    place = stored
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return stored


def packed(shape, data, dtype="<f4"):
    return {"dtype": dtype, "shape": shape, "zlib": base64.b64encode(zlib.compress(data)).decode()}


def png_of(width, height):
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", width, height, 8, 2, 0, 0, 0) + bytes(40)
    return {"png": base64.b64encode(head).decode()}


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("format",), 2, "the result is not of format 1"),
        (("format",), None, "the result is not of format 1"),
        (("events",), {}, "events is a dict, no list"),
        (("events", 0, "start"), "0.4", "events[0].start is '0.4'"),
        (("events", 0, "start"), float("nan"), "events[0].start is nan"),
        (("events", 1, "number"), True, "events[1].number is True"),
        (("events", 1, "number"), 1e300, "events[1].number is 1e+300"),
        (("events", 0, "box"), [1, 2, 3], "events[0].box has 3 items where 4 belong"),
        (("events", 0, "box"), [1, 2, -3, 4], "events[0] ends before it begins, or has a box of negative size"),
        (("events", 0, "end"), 0.1, "events[0] ends before it begins, or has a box of negative size"),
        (("events", 0, "zones"), [["gate"]], "events[0].zones[0] is ['gate']"),
        (("events", 0, "colour"), "red", "events[0] has 'colour', which nothing is called"),
        (("facts", "recorded"), "yesterday", "facts.recorded is 'yesterday', no date with a time"),
        (("facts", "width"), 10**400, "facts.width is 1"),
        (("facts", "source"), "gate.mp4", "facts.source is 'gate.mp4', no list"),
        (("facts", "name"), "x" * 70_000, "facts.name is 'xxx"),
        (("tracks",), None, "tracks are no list"),
        (("tracks", 0), [], "tracks[0] is no object"),
        (("tracks", 0, "sightings"), [], "tracks[0].sightings are no lists of 9 numbers"),
        (("tracks", 0, "sightings", 3), [1, 2], "tracks[0].sightings are no lists of 9 numbers"),
        (("tracks", 0, "sightings", 3, 0), 1.5, "tracks[0].sightings hold numbers that are not finite, or broken ones"),
        (("tracks", 0, "sightings", 3, 6), 10**400, "tracks[0].sightings hold a number without bounds"),
        (("tracks", 0, "sightings", 3, 6), float("inf"), "tracks[0].sightings hold numbers that are not finite"),
        (("tracks", 0, "sightings", 3, 1), 0.0, "tracks[0].sightings go back in time"),
        (("tracks", 0, "crossings", 0, 2), None, "tracks[0].crossings[0][2] is None"),
        (("heat",), "warm", "heat is not laid out as it should be"),
        (("heat",), packed([2, 2], bytes(15)), "heat does not have the 16 bytes that its shape promises"),
        (("heat",), packed([2, 2], bytes(17)), "heat does not have the 16 bytes that its shape promises"),
        (("heat",), packed([2, 2], bytes(10**7)), "heat does not have the 16 bytes that its shape promises"),
        (("heat",), packed([2, 2], b"\x00\x00\xc0\x7f" * 4), "heat holds numbers that are not finite"),
        (("heat",), packed([1 << 13, 1 << 13], b""), "heat claims a size of [8192, 8192]"),
        (("heat",), packed([-1, 4], b""), "heat claims a size of [-1, 4]"),
        (("heat",), packed([4], bytes(16)), "heat is not laid out as it should be"),
        (("heat",), packed([2, 1], bytes(16), "<f8"), "heat is not laid out as it should be"),
        (("heat", "zlib"), "!!", "heat cannot be unpacked"),
        (("heat", "zlib"), "AAAA", "heat cannot be unpacked"),
        (("background",), png_of(60_000, 60_000), "background claims a picture of 60000x60000 pixels"),
        (("background",), png_of(4, 4), "background cannot be decoded"),
        (("background", "png"), "GIF8", "background is no PNG"),
        (("activity", "times"), packed([2], bytes(16), "<f8"), "activity has times that fall, or others than shares"),
        (("activity",), [], "activity is no object"),
        (("tally", "read"), "many", "tally.read is 'many'"),
        (("error",), 5, "error is 5"),
    ],
)
def test_anything_else_is_refused_in_one_line_that_says_where(path, value, told, capfd):
    with pytest.raises(ParameterError) as caught:
        Scanned.from_dict(changed(path, value))
    text = str(caught.value)
    assert text.startswith(told)
    assert text.endswith(": the stored result is damaged; scan again")
    assert "\n" not in text
    assert len(text) < 300
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("values", [None, [], "x", {}, {"format": 1}])
def test_what_is_no_result_is_refused(values):
    with pytest.raises(ParameterError, match="damaged; scan again"):
        Scanned.from_dict(values)


def test_fields_with_defaults_may_be_missing_as_an_older_writer_leaves_them():
    stored = some_result().as_dict()
    for event in stored["events"]:
        del event["unusual"], event["kind"]
    del stored["tally"]["reconnects"]
    back = Scanned.from_dict(stored)
    assert [event.kind for event in back.events] == ["motion", "motion"]
    assert back.tally == Tally(read=300, first_time=0.0, last_time=11.96, elapsed=1.5, timed=299, steady=1.2)
