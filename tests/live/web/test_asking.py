"""What the API answers: how cameras are, events page by page, what is wrong with a question."""

import json
from datetime import UTC, timedelta

import pytest

from bgsub.live.messages import CameraFound, CameraLost, EventOpened, EventRecord
from tests.live.web.served import BEGAN, status

DAY = "start=2026-11-27T00:00:00Z&end=2026-11-28T00:00:00Z"


def test_cameras_are_told_with_what_is_wrong(page):
    page.note(status(moving=0.25, frames_per_second=12.5, dropped=3))
    page.note(CameraLost(camera="door", at=BEGAN, why="no answer"), status("door", state="lost", why="no answer"))
    told = page.get("/api/overview").body
    yard, door = told["cameras"]
    assert (yard["name"], yard["state"], yard["frames_per_second"], yard["dropped"]) == ("yard", "live", 12.5, 3)
    assert (door["state"], door["why"], door["since"], door["outages"]) == (
        "lost", "no answer", "2026-11-27T12:00:00Z", 1,
    )  # fmt: skip
    assert told["wrong"] == {"camera door": "lost since 2026-11-27T12:00:00Z: no answer"}
    assert told["disk"]["free"] > 0 and told["disk"]["events"] == 0
    assert page.get("/api/cameras/yard").body == yard
    assert page.get("/api/cameras/yard/motion").body["shares"] == [0.25]
    assert page.get("/api/cameras/shed").status == 404
    health = page.get("/health")
    assert (health.status, health.body["well"]) == (503, False)
    assert page.get("/metrics").body == b"bgsub_well 1\n"


def test_no_secret_of_a_source_is_told(page):
    for path in ("/api/overview", "/api/cameras/yard", "/api/cameras/yard/settings", "/health"):
        assert "secret" not in json.dumps(page.get(path).body)


def test_events_come_page_by_page_each_once(page):
    ids = [page.event(seconds=n, camera=("yard", "door")[n % 2]).id for n in range(7)]
    seen, before = [], ""
    while True:
        answer = page.get(f"/api/events?limit=3{before}").body
        seen += [event["id"] for event in answer["events"]]
        if answer["next"] is None:
            break
        before = f"&before={answer['next']}"
    assert seen == ids[::-1]
    assert page.get(f"/api/events/{ids[0]}").body["id"] == ids[0]
    assert page.get("/api/events/yard/2026-11-27T00-00-00.000Z").status == 404


def test_events_are_filtered(page):
    page.event(seconds=0, length=2, zones=("gate",))
    odd = page.event(seconds=10, length=20, unusual=0.95).id
    page.event(seconds=20, camera="door", length=1)

    def found(query):
        return [event["id"] for event in page.get(f"/api/events?{query}").body["events"]]

    assert len(found("camera=yard")) == 2 and len(found("camera=door")) == 1
    assert len(found("zone=gate")) == 1
    assert found("min_length=10") == found("unusual=0.9") == [odd]
    assert found("start=2026-11-27T12:00:05%2B00:00&end=2026-11-27T12:00:15Z") == [odd]


def test_segments_outages_and_amounts(page):
    page.segment()
    page.event()
    page.index.take(CameraLost(camera="yard", at=BEGAN, why="gone"))
    page.index.take(CameraFound(camera="yard", at=BEGAN + timedelta(seconds=5), away=5.0))
    (segment,) = page.get(f"/api/segments?{DAY}").body["segments"]
    assert segment["path"] == "yard/2026-11-27/2026-11-27T12-00-00.000Z.segment.mp4"
    (outage,) = page.get(f"/api/outages?{DAY}&camera=yard").body["outages"]
    assert (outage["why"], outage["end"]) == ("gone", "2026-11-27T12:00:05Z")
    amounts = page.get(f"/api/amounts?{DAY}").body["amounts"]
    assert len(amounts) == 288
    assert [(one["start"], one["events"], one["seconds"]) for one in amounts if one["events"]] == [
        ("2026-11-27T12:00:00Z", 1, 4.0)
    ]


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/api/events?limit=0", 400, "Expected `int` >= 1"),
        ("/api/events?limit=x", 400, "Expected `int`"),
        ("/api/events?camera=..%2Fx", 400, "matching regex"),
        ("/api/events?kamera=x", 400, "unknown field `kamera`"),
        ("/api/events?limit=1&limit=2", 400, "asked twice"),
        ("/api/events?before=x", 400, "matching regex"),
        ("/api/events?start=2026-11-27", 400, "RFC3339"),
        ("/api/events?start=0001-01-01T00:00:00%2B23:59", 400, "year 1: give a time from 1971 to 2199"),
        ("/api/events?zone=" + "x" * 300, 400, "length <= 200"),
        ("/api/amounts?start=2026-11-28T00:00:00Z&end=2026-11-27T00:00:00Z", 400, "give a start before an end"),
        ("/api/amounts?start=2026-01-01T00:00:00Z&end=2027-01-01T00:00:00Z", 400, "32 days apart at most"),
        ("/api/amounts", 400, "required field `start`"),
        ("/api/nothing", 404, "there is nothing here"),
        ("/api/events/yard/../../etc", 404, "there is nothing here"),
        ("/api/live", 426, "this is a WebSocket"),
    ],
)
def test_what_is_wrong_with_a_question_is_told(page, path, status, told):
    answer = page.get(path)
    assert answer.status == status
    assert told in answer.body["error"] and "\n" not in answer.body["error"]


def test_the_list_and_the_timeline_are_those_of_a_scans_report(page):
    page.event(seconds=0, zones=("gate",), unusual=0.95, crossings={"line in": 2}, kind="stopped")
    page.event(seconds=60, clip=None, error="no room <b>here</b>")
    listed = page.get("/parts/events?limit=1").body.decode()
    assert 'data-next="yard/2026-11-27T12-01-00.000Z"' in listed
    assert "no picture" in listed and "no room &lt;b&gt;here&lt;/b&gt;" in listed
    listed = page.get("/parts/events").body.decode()
    assert listed.count('<li class="event"') == 2 and "unusual, more so than 95%" in listed
    assert '<img src="/api/events/yard/2026-11-27T12-00-00.000Z/thumbnail" loading="lazy"' in listed
    assert "Stopped" in listed and "line in 2" in listed and ">gate<" in listed
    page.index.take(CameraLost(camera="yard", at=BEGAN, why="<gone>"))
    line = page.get(f"/parts/timeline?{DAY}").body.decode()
    assert line.count('class="row"') == 3 and line.count("data-event=") == 2 and 'class="graph"' in line
    assert "away since 2026-11-27T12:00:00Z: &lt;gone&gt;" in line
    assert 'x="500.0"' in line  # noon
    assert "2 events" in line and "0 events" in line
    assert line.count("data-event=") - page.get(f"/parts/timeline?{DAY}&unusual=0.9").body.count(b"data-event=") == 1
    form = page.get("/parts/form").body.decode()
    assert all(word in form for word in ('name="source"', 'name="zone"', ">gate<", 'name="shortest"', 'name="odd"'))


def test_an_event_that_goes_on_is_listed(page):
    start = BEGAN.astimezone(UTC)
    page.index.take(EventOpened(EventRecord(id="yard/2026-11-27T12-00-00.000Z", camera="yard", start=start)))
    assert "goes on" in page.get("/parts/events").body.decode()
