"""Every decision of the registration against its obvious twin: the same movements, the same matrices."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bgsub.background.adaptive.registration import Registration, small
from tests.background.test_registration import MARGIN, SHAPE, Pictures, view, world
from tests.naive_registration import NaiveRegistration

pytestmark = pytest.mark.slow


def frames_like(kind, shape, rng, n):
    """Frames of a camera that shakes, turns, zooms, or stands before things that move."""
    surface, sheet = world(shape), world(shape, seed=1)
    for t in range(n):
        if kind == "shaking":
            yield view(surface, *rng.uniform(-1, 1, 2) * (4 if t % 3 else 0.8), rng)
        elif kind == "turning and zooming":
            middle = (surface.shape[1] / 2, surface.shape[0] / 2)
            matrix = cv2.getRotationMatrix2D(middle, rng.uniform(-4, 4), rng.uniform(0.94, 1.06))
            yield view(cv2.warpAffine(surface, matrix, surface.shape[1::-1], borderMode=cv2.BORDER_REFLECT), rng=rng)
        elif kind == "swaying in a part":
            frame, part = view(surface, rng=rng), round(rng.uniform(0.2, 1) * shape[1])
            frame[:, :part] = view(sheet if t % 2 else surface, *rng.uniform(-4, 4, 2), rng)[:, :part]
            yield frame
        elif kind == "far":
            reach = 0.03 * shape[1] if t < 8 else 0.16 * shape[1]
            yield view(surface, *rng.uniform(-1, 1, 2) * min(reach, MARGIN - 1), rng)
        elif kind == "hidden by things":
            frame, covered = view(surface, *rng.uniform(-5, 5, 2), rng), rng.uniform(0.1, 0.97)
            frame[:, : round(covered * shape[1])] = view(sheet, *rng.uniform(-9, 9, 2), rng)[
                :, : round(covered * shape[1])
            ]
            yield frame
        else:
            still = t % 20 >= 8
            yield view(surface, *((0.0, 0.0) if still else rng.uniform(-3, 3, 2)), rng)


KINDS = {  # and what must have come up
    "shaking": {"moved", "not far enough"},
    "turning and zooming": {"moved", "turned or zoomed"},
    "swaying in a part": {"in a part only", "moved"},
    "far": {"moved"},
    "hidden by things": {"moved", "in a part only", "too few follow"},
    "by turns": {"moved", "not far enough"},
}
SHAPES = pytest.mark.parametrize("shape", [SHAPE, (110, 850)], ids=["as it is", "a third"])


def assert_same_matrix(found, expected):
    assert (found is None) == (expected is None)
    if expected is not None:
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", ["shaking", "by turns", "far"])
@SHAPES
def test_a_camera_is_followed_as_by_the_naive_twin(kind, shape):
    """Frozen frames too."""
    ours, twin = Registration(np.zeros(shape, bool)), NaiveRegistration(shape)
    for t, frame in enumerate(frames_like(kind, shape, np.random.default_rng(0), 40)):
        if t in (0, 25):  # it is taken again
            twin.renew(frame)
        learn = t % 7 != 6
        found = ours.follow(Pictures(background=frame), frame, t, learn)
        np.testing.assert_array_equal(ours.reference, twin.reference)
        assert_same_matrix(found, twin.displacement(frame, t, learn))
        assert ours.engaged == twin.engaged
    assert twin.engaged


@pytest.mark.parametrize("kind", KINDS)
@SHAPES
def test_each_movement_is_judged_as_by_the_naive_twin(kind, shape):
    """Whether the camera is known to shake by now, or not."""
    outside = np.zeros(shape, bool)
    outside[:, : shape[1] // 8] = True
    ours, twin = Registration(outside), NaiveRegistration(shape, outside)
    rng = np.random.default_rng(1)
    for t, frame in enumerate(frames_like(kind, shape, rng, 40)):
        if t == 0:
            ours.renew(small(frame, ours.shape))
            twin.renew(frame)
        ours.set_progress({"engaged": t % 2 == 1, "recent": [], "calm": 0})
        twin.engaged, twin.history = t % 2 == 1, []
        assert_same_matrix(ours.follow(Pictures(), frame, 10, True), twin.displacement(frame, 10, True))
        assert ours.progress()["recent"] == twin.history, twin.said[-1]
    if shape == SHAPE:
        assert KINDS[kind] <= set(twin.said)
