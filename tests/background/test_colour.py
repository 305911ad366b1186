"""Clipped channels are bounds: a white wall stays white when the camera opens up or closes."""

from __future__ import annotations

import numpy as np
import pytest

from bgsub import BackgroundSubtractor
from tests.background.adaptive_scenes import PER_PIXEL, mixture, seen, wall, with_square
from tests.background.test_adaptive_kernel import Followed

SHAPE = (32, 48)
WHITE = slice(4, 14), slice(10, 40)  # a part of the wall beyond what the camera can tell
LIGHTS = {"it opens up": 1.3, "it closes": 0.75}


def office(channels=3, white=None):
    """A wall with a part that is clipped; float, as bright as it is."""
    picture = wall(SHAPE, channels, level=(60, 150))
    picture[WHITE] = 330 if white is None else white
    return picture


def frames_of(light, channels=3, n_before=30, n_after=6, picture=None):
    """Frames of an office whose light changes, and of somebody dark who comes in with it."""
    rng, picture = np.random.default_rng(3), office(channels) if picture is None else picture
    before = [seen(picture, rng) for _ in range(n_before)]
    person = with_square(picture, 16, 20, 12, (20, 60, 30))
    return before, [seen(person * light, rng) for _ in range(n_after)]


@pytest.mark.parametrize("light", LIGHTS.values(), ids=LIGHTS)
@pytest.mark.parametrize("channels", [1, 3])
def test_a_white_wall_is_no_object_when_the_light_changes(light, channels):
    model = BackgroundSubtractor(stabilise=False)
    before, after = frames_of(light, channels)
    for frame in before:
        model.apply(frame)
    for frame in after:
        mask = model.apply(frame)
        assert (mask[WHITE] == 0).mean() > 0.97
        assert (mask[18:26, 22:30] == 255).all()  # the person is seen all the same


def test_one_clipped_channel_of_three_is_enough():
    """An orange wall: its red is clipped, the others are not."""
    model = BackgroundSubtractor(stabilise=False)
    before, after = frames_of(1.3, picture=office(white=(40, 140, 300)))
    for frame in before:
        model.apply(frame)
    assert all((model.apply(frame)[WHITE] == 0).mean() > 0.97 for frame in after)


@pytest.mark.parametrize("light", LIGHTS.values(), ids=LIGHTS)
def test_the_wall_is_learned_as_white_as_it_was(light):
    model = BackgroundSubtractor(stabilise=False, history=10)
    before, after = frames_of(light, n_after=30)
    for frame in before + after:
        model.apply(frame)
    luma = model.engine.background_image()[WHITE].mean(axis=2)
    assert luma == pytest.approx(255, abs=2)


def test_what_hides_a_white_wall_is_seen_though_the_light_is_up():
    """As bright as the room around, it would in the first frames be taken for ground that something white has left."""
    model = BackgroundSubtractor(stabilise=False, vacated_frames=0)
    before, _ = frames_of(1.3)
    for frame in before:
        model.apply(frame)
    picture = office() * 1.3
    picture[6:12, 15:35] = (180, 90, 120)
    mask = model.apply(seen(picture, np.random.default_rng(0)))
    assert (mask[7:11, 16:34] == 255).mean() > 0.9


@pytest.mark.parametrize(("light", "channels"), [(0.7, 3), (0.98, 1), (1.0, 3), (1.02, 3), (1.5, 1), (1.5, 3)])
def test_as_the_twin_has_it(light, channels):
    """Pixels above and below the bound, in colours of which one, two or all channels are clipped, also of floats."""
    rng, followed = np.random.default_rng(7), Followed(**PER_PIXEL, n_components=3)
    picture = rng.uniform(60, 150, (40, 52, channels))
    picture[rng.random(picture.shape) < 0.2] = 270
    for t in range(12):
        frame = (picture * (light if t > 6 else 1) + rng.normal(0, 2, picture.shape)).clip(0, 255)
        frame = frame.astype(np.float32) if t % 2 and t > 8 else np.rint(frame).astype(np.uint8)
        followed.apply(frame if channels == 3 else frame[..., 0])
    assert followed.twin.counted["another light"] == (0 if light == 1 else 5)


def test_neighbours_are_compared_with_the_colour_as_it_may_have_been():
    """As the twin has it, where all flickers and all are asked."""
    rng = np.random.default_rng(9)
    followed = Followed(flicker_rate=0.3, neighbour_radius=1, neighbour_still=0, neighbour_lively=0)
    picture = rng.uniform(60, 150, (40, 52, 3))
    picture[rng.random(picture.shape) < 0.15] = 270
    for t in range(9):
        moved = np.roll(picture, rng.integers(-1, 2), 1) * (1.3 if t > 5 else 1)
        followed.apply(seen(moved, rng))
    assert followed.twin.counted["moved background"] > 100
    assert followed.twin.counted["another light"] > 1


def test_nothing_changes_in_the_light_of_the_background():
    """A channel at 255 is a value like any other while the camera's light is the background's."""
    model = BackgroundSubtractor(stabilise=False, compensate_light=False, history=5)
    for frame in frames_of(1.0)[0]:
        model.apply(frame)
    _, before = mixture(model)
    for _ in range(20):
        model.apply(seen(office(white=252), np.random.default_rng(1), noise=0))
    _, after = mixture(model)
    inside = np.zeros(SHAPE, bool)
    inside[WHITE] = True
    assert before[inside.ravel(), 0, 1] == pytest.approx(255, abs=0.5)
    assert after[inside.ravel(), 0, 1] == pytest.approx(252, abs=0.5)
