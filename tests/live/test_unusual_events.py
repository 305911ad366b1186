"""Events of a camera that are unlike its others are told by what the index knows."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from bgsub.live.archive.index import Index
from bgsub.live.archive.recordings import Recordings
from bgsub.live.archive.retention import Keeper
from bgsub.live.archive.unusual_events import compare_in_a_process, unusual_among
from bgsub.live.layout import event_id
from bgsub.live.messages import EventRecord
from bgsub.live.settings import Retention
from tests.live.recordings_made import NOW, SteppedClock

pytestmark = pytest.mark.slow


def events(count, *, length=5.0, share=0.01, left=0.4):
    chance = random.Random(3)
    made = []
    for k in range(count):
        start = NOW - timedelta(hours=12 + k % 3, days=k)
        end = start + timedelta(seconds=length * chance.uniform(0.7, 1.4))
        box = (left + chance.uniform(0, 0.1), 0.4, 0.1, 0.2)
        facts = {"box": box, "share": share * chance.uniform(0.8, 1.2), "objects": 1}
        made.append(EventRecord(id=event_id("yard", start), camera="yard", start=start, end=end, **facts))
    return made


def odd():
    (one,) = events(1, length=90, share=0.3, left=0.0)
    return one


def test_the_odd_one_is_the_most_unusual():
    shares = unusual_among([odd(), *events(60)[1:]])
    assert len(shares) == 60
    assert max(shares, key=shares.get) == odd().id
    assert all(0 <= share <= 1 for share in shares.values())


def test_few_events_and_those_that_go_on_say_nothing():
    assert unusual_among([]) == {}
    assert unusual_among(events(5)) == {}
    start = NOW
    assert unusual_among([EventRecord(id=event_id("yard", start), camera="yard", start=start)]) == {}


def test_the_keeper_has_them_compared_in_another_process(tmp_path):
    clock = SteppedClock()
    with Index(tmp_path / "index.sqlite", clock) as index:
        for one in (odd(), *events(40)[1:]):
            index.put_event(one)
        keeper = Keeper(index, Recordings(tmp_path / "recordings", index), Retention(), clock)
        keeper.compare_events()
        assert index.uncompared() == {}
        assert index.events(unusual=0.97)[0].id == odd().id


def test_a_process_that_dies_says_nothing(tmp_path):
    assert compare_in_a_process(tmp_path / "none.sqlite", "yard") == {}
