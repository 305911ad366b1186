"""The last packets of a camera: from a key frame on, bounded, and no half pictures."""

from __future__ import annotations

import random

import pytest

from bgsub.video.live.halves import Halves
from bgsub.video.live.packets import Kept
from bgsub.video.live.ring import Ring


def packet(time: float, *, key: bool = False, size: int = 10, video: bool = True, pts: int | None = None) -> Kept:
    ticks = round(time * 1000) if pts is None else pts
    return Kept(bytes(size), video, key, ticks, ticks, 0, 0.0, time)


def test_it_begins_with_a_key_frame_that_lies_far_enough_back() -> None:
    ring = Ring(5.0, 1 << 20)
    for index in range(1000):
        ring.push(packet(index / 10, key=index % 20 == 0))
        held = ring.since(-1.0)
        assert held[0].is_key
        if index >= 70:
            assert 5.0 <= index / 10 - held[0].time < 7.0 + 1e-9


@pytest.mark.parametrize(("time", "first"), [(-1.0, 0.0), (0.0, 0.0), (1.9, 0.0), (2.0, 2.0), (3.5, 2.0), (99.0, 4.0)])
def test_a_clip_begins_with_the_last_key_frame_at_or_before_a_time(time: float, first: float) -> None:
    ring = Ring(60.0, 1 << 20)
    for index in range(50):
        ring.push(packet(index / 10, key=index % 20 == 0))
    held = ring.since(time)
    assert held[0].time == first
    assert [kept.time for kept in held] == [index / 10 for index in range(round(first * 10), 50)]


def test_nothing_is_kept_before_the_first_key_frame_and_sound_is_none() -> None:
    ring = Ring(5.0, 1 << 20)
    ring.push(packet(0.0))
    ring.push(packet(0.1, key=True, video=False))
    assert len(ring) == 0
    ring.push(packet(0.2, key=True))
    ring.push(packet(0.3, key=True, video=False))
    assert [kept.time for kept in ring.since(9.0)] == [0.2, 0.3]


def test_its_bytes_are_bounded_whatever_comes() -> None:
    chance = random.Random(3)
    ring = Ring(10.0, 5000)
    time = 0.0
    for _ in range(20_000):  # hours of a camera in a moment
        time += chance.random() * 0.1
        key = chance.random() < chance.choice([0.0, 0.01, 0.2])
        ring.push(packet(time, key=key, size=chance.choice([0, 10, 300, 6000]), video=chance.random() < 0.7))
        held = ring.since(-1.0)
        assert ring.n_bytes == sum(len(kept.data) for kept in held) <= 5000
        assert not held or (held[0].is_video and held[0].is_key)
        assert len(ring._keys) == sum(kept.is_video and kept.is_key for kept in held)


def test_key_frames_that_lie_too_far_apart_leave_nothing_until_the_next() -> None:
    ring = Ring(10.0, 1000)
    ring.push(packet(0.0, key=True, size=500))
    ring.push(packet(0.1, size=600))
    ring.push(packet(0.2, size=1))
    assert len(ring) == ring.n_bytes == 0
    ring.push(packet(0.3, key=True, size=500))
    assert len(ring) == 1


def test_packets_of_one_time_become_one_picture() -> None:
    halves = Halves()
    whole = [
        halves.put(Kept(data, True, key, pts, pts, 0, 0.0, float(pts)))
        for data, key, pts in [(b"a", True, 0), (b"b", True, 0), (b"c", False, 1), (b"d", False, 2), (b"e", False, 2)]
    ]
    assert [kept and kept.data for kept in [*whole, halves.rest()]] == [None, None, b"ab", b"c", None, b"de"]
    assert halves.seen
    assert halves.rest() is None


def test_halves_without_end_are_bounded() -> None:
    halves = Halves()
    large = bytes(20 << 20)
    assert halves.put(Kept(large, True, True, 0, 0, 0, 0.0, 0.0)) is None
    whole = halves.put(Kept(large, True, True, 0, 0, 0, 0.0, 0.0))
    assert whole is not None
    assert len(whole.data) == len(large)
