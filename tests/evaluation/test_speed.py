"""The benchmark's bookkeeping, with fake variants and a fake clock: nothing here depends on a real time."""

from __future__ import annotations

import itertools
import json

import cv2
import numpy as np
import pytest

from bgsub.errors import ParameterError
from bgsub.evaluation import speed
from bgsub.evaluation.speed import Spread, compare, interleave, measure


class FakeTime:
    """A clock that stands still but for what the variants let pass."""

    def __init__(self):
        self.now = 100.0
        self.calls = []

    def clock(self):
        return self.now

    def variant(self, name, seconds):
        """A variant whose n-th call takes the n-th of `seconds`, over and over."""
        durations = itertools.cycle(seconds)

        def apply(image):
            self.calls.append((name, int(image[0, 0])))
            self.now += next(durations)
            return image.copy()

        return apply


def numbered(n):
    return (np.full((2, 2), i, np.uint8) for i in range(n))


@pytest.fixture
def few_variants(monkeypatch):
    """Variants that threshold: "compact" is one grey level off, "exact" is not, "adaptive" need not agree."""

    def above(level):
        return lambda image: np.where(image > level, np.uint8(255), np.uint8(0))

    monkeypatch.setattr(
        speed,
        "_variants",
        lambda threads, shadows: {"opencv": above(9), "exact": above(9), "compact": above(8), "adaptive": above(0)},
    )


class TestInterleave:
    def test_every_variant_sees_every_frame_in_order(self):
        fake = FakeTime()
        variants = {name: fake.variant(name, [1]) for name in "abc"}
        interleave(variants, numbered(20), 5, 3, clock=fake.clock)
        for name in "abc":
            assert [frame for who, frame in fake.calls if who == name] == list(range(15))

    def test_blocks_are_whole_and_every_variant_has_one_each_round(self):
        fake = FakeTime()
        variants = {name: fake.variant(name, [1]) for name in "abc"}
        interleave(variants, numbered(48), 12, 4, clock=fake.clock)
        orders = []
        for start in range(0, len(fake.calls), 12):
            names = [name for name, _ in fake.calls[start : start + 12]]
            blocks = [set(names[i : i + 4]) for i in (0, 4, 8)]
            assert all(len(block) == 1 for block in blocks)
            assert set.union(*blocks) == set("abc")
            orders.append("".join(names[::4]))
        assert len(orders) == 12
        assert {order[0] for order in orders} == set("abc")
        assert len(set(orders)) > 3

    def test_the_order_is_the_same_in_every_run(self):
        calls = []
        for _ in range(2):
            fake = FakeTime()
            interleave({n: fake.variant(n, [1]) for n in "abc"}, numbered(10), 5, 2, clock=fake.clock)
            calls.append(fake.calls)
        assert calls[0] == calls[1]

    def test_seconds_a_frame_of_each_round(self):
        fake = FakeTime()
        variants = {"slow": fake.variant("slow", [2, 4, 6, 1, 1, 1]), "quick": fake.variant("quick", [0.5])}
        seconds = interleave(variants, numbered(6), 2, 3, clock=fake.clock)
        assert seconds == {"slow": [4, 1], "quick": [0.5, 0.5]}

    def test_observing_costs_no_time_and_gets_copies(self):
        fake = FakeTime()
        seen = []

        def observe(masks):
            fake.now += 1000
            seen.append({name: [int(mask[0, 0]) for mask in several] for name, several in masks.items()})

        reused = np.zeros((2, 2), np.uint8)

        def reusing(image):
            reused[:] = image
            return reused

        variants = {"a": fake.variant("a", [3]), "reusing": reusing}
        seconds = interleave(variants, numbered(4), 2, 2, clock=fake.clock, observe=observe)
        assert seconds == {"a": [3, 3], "reusing": [0, 0]}
        assert seen == [{"a": [0, 1], "reusing": [0, 1]}, {"a": [2, 3], "reusing": [2, 3]}]


class TestMeasure:
    def test_differing_pixels_are_counted_over_all_frames(self, few_variants):
        frames = [np.full((4, 6), 0, np.uint8) for _ in range(4)]
        for t, image in enumerate(frames):
            image[0, :t] = 9  # where the levels 8 and 9 differ: 0, 1, 2, 3 pixels of 24
        result = measure(frames, rounds=3, block=2, warmup=2)
        shown = [0, 1, 2, 3, 2, 1, 0, 1]  # there and back again
        assert result.differing == {"compact": sum(shown) / (24 * len(shown)), "exact": 0}

    def test_ratios_are_of_one_round(self, few_variants, monkeypatch):
        seconds = {"opencv": [4.0, 40, 6, 8, 2], "exact": [4.0, 10, 1, 2, 1], "compact": [1.0, 1, 1, 1, 1]}
        seconds["adaptive"] = [8.0, 20, 12, 16, 4]
        monkeypatch.setattr(speed, "interleave", lambda *args, **kwargs: seconds)
        result = measure([np.zeros((5, 7), np.uint8)] * 2, warmup=1)
        assert result.milliseconds == {"opencv": 6000, "exact": 2000, "compact": 1000, "adaptive": 12000}
        assert result.speedup["exact"] == Spread(median=4, lower=2, upper=4)  # of 1, 4, 6, 4, 2
        assert result.speedup["compact"] == Spread(median=6, lower=4, upper=8)
        assert result.speedup["adaptive"] == Spread(median=0.5, lower=0.5, upper=0.5)
        assert (result.width, result.height) == (7, 5)

    def test_opencv_gets_as_many_threads_and_its_own_back(self, monkeypatch):
        inside = []

        def spy(threads, shadows):
            def apply(image):
                inside.append((cv2.getNumThreads(), threads))
                return image

            return {"opencv": apply}

        monkeypatch.setattr(speed, "_variants", spy)
        before = cv2.getNumThreads()
        measure([np.zeros((3, 3), np.uint8)] * 2, 3, rounds=1, block=1, warmup=1)
        assert inside == [(3, 3), (3, 3)]
        assert cv2.getNumThreads() == before

        monkeypatch.setattr(speed, "interleave", lambda *args, **kwargs: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            measure([np.zeros((3, 3), np.uint8)] * 2, before + 2, rounds=1)
        assert cv2.getNumThreads() == before

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"threads": 0}, "threads=0: give 1 or more"),
            ({"rounds": 0}, "rounds=0: give 1 or more"),
            ({"block": 0}, "block=0: give 1 or more"),
            ({"warmup": -1}, "warmup=-1: give 0 or more"),
            ({"frames": []}, "the clip has 0 frames: a benchmark needs at least 2"),
            (
                {"frames": [np.zeros((3, 3), np.uint8), np.zeros((3, 4), np.uint8)]},
                r"frame 1 has shape \(3, 4\)",
            ),
            ({"frames": [np.zeros((3, 3))] * 2}, "frame 0 .* dtype float64: give uint8 frames of one shape"),
        ],
    )
    def test_bad_arguments(self, arguments, message):
        with pytest.raises(ParameterError, match=message):
            measure(**{"frames": [np.zeros((3, 3), np.uint8)] * 2} | arguments)


class TestCompare:
    def test_one_result_a_size_and_thread_count(self, few_variants):
        reported = []
        results = compare([(40, 32), (48, 36)], (1, 2), rounds=2, block=2, on_result=reported.append)
        cases = [(result.width, result.height, result.threads) for result in results]
        assert cases == [(40, 32, 1), (40, 32, 2), (48, 36, 1), (48, 36, 2)]
        assert results == reported

    @pytest.mark.parametrize("shape", [(20, 30), (20, 30, 3)])
    @pytest.mark.parametrize("shadows", [False, True])
    def test_the_real_models_on_a_clip(self, shape, shadows):
        frames = np.random.default_rng(0).normal(120, 5, (12, *shape)).astype(np.uint8)
        frames[8:, 5:10, 5:10] = 250
        (result,) = compare(threads=[1], rounds=2, block=3, shadows=shadows, frames=list(frames))
        assert list(result.milliseconds) == ["opencv", "exact", "compact", "adaptive"]
        assert list(result.speedup) == ["exact", "compact", "adaptive"]
        assert result.differing.keys() == {"exact", "compact"}
        assert result.differing["exact"] < 0.001
        assert result.differing["compact"] < 0.01
        as_dict = json.loads(json.dumps(result.as_dict()))
        assert as_dict["shadows"] is shadows
        assert as_dict["speedup"]["exact"].keys() == {"median", "lower", "upper"}
