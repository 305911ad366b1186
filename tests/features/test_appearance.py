"""What a frame looks like: known pictures, a slow reference, no jumps, no dependence on size or depth."""

import cv2
import numpy as np
import pytest

from bgsub.features.appearance import APPEARANCE, COLOURS, EDGES, TONES, appearance, soft_histogram


def named(image):
    return dict(zip(APPEARANCE, appearance(image), strict=True))


def textured(height=48, width=64, seed=0):
    rng = np.random.default_rng(seed)
    return cv2.GaussianBlur(rng.integers(0, 256, (height, width, 3)).astype(np.uint8), (7, 7), 0)


@pytest.mark.parametrize(("level", "tone"), [(0, "black"), (119, "medium"), (255, "white")])
def test_an_even_grey_picture(level, tone):
    found = named(np.full((30, 40), level, np.uint8))
    lightness = 116 * (((level / 255 + 0.055) / 1.055) ** 2.4) ** (1 / 3) - 16 if level else 0.0
    assert found["brightness"] == pytest.approx(lightness, abs=0.3)  # OpenCV looks Lab up in tables
    assert found["contrast"] == pytest.approx(0, abs=1e-3)
    assert found[tone] == pytest.approx(100, abs=1)
    assert sum(found[name] for name in TONES) == pytest.approx(100)
    assert max(found[name] for name in (*COLOURS, *EDGES)) < 0.02


@pytest.mark.parametrize(
    ("bgr", "colour"),
    [
        ((80, 0, 255), "red"),
        ((0, 200, 255), "orange"),
        ((0, 255, 0), "green"),
        ((190, 190, 0), "teal"),
        ((255, 80, 0), "blue"),
    ],
)
def test_a_colour_lies_in_its_bin(bgr, colour):
    found = named(np.full((30, 40, 3), bgr, np.uint8))
    assert max(COLOURS, key=found.get) == colour


@pytest.mark.parametrize(
    ("across", "down", "edge"),
    [(1, 0, "vertical_edges"), (0, 1, "horizontal_edges"), (1, -1, "falling_edges"), (1, 1, "rising_edges")],
)
def test_an_edge_lies_in_its_bin(across, down, edge):
    """Brightness rises along (across, down), the rows counted from the top; the edge is at right angles to that."""
    y, x = np.mgrid[:60, :80]
    rising = 60 + 100 * ((x - 40) * across + (y - 30) * down > 0)
    found = named(rising.astype(np.uint8))
    assert found[edge] > 0.8 * sum(found[name] for name in EDGES) > 0
    falling = named((220 - rising).astype(np.uint8))
    assert max(EDGES, key=falling.get) == edge


def test_soft_histogram_is_the_slow_one():
    rng = np.random.default_rng(0)
    position, weight = rng.uniform(0, 6, 300), rng.uniform(0, 2, 300)
    for circular in (True, False):
        expected = np.zeros(5)
        for p, w in zip(position, weight, strict=True):
            low, share = int(p), p - int(p)
            for place, part in ((low, 1 - share), (low + 1, share)):
                expected[place % 5 if circular else min(place, 4)] += w * part / 300
        assert np.allclose(soft_histogram(position, weight, 5, circular=circular), expected)


def test_a_slight_change_is_slight_in_every_bin():
    image = textured()
    before = appearance(image)
    after = appearance(np.where(image < 255, image + 1, image).astype(np.uint8))
    assert np.abs(after - before).max() < 2.5


def test_size_and_depth_do_not_count():
    image = textured(72, 96)
    large = cv2.resize(image, (384, 288), interpolation=cv2.INTER_NEAREST)
    assert np.allclose(appearance(large), appearance(image), atol=1e-3)
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    assert np.allclose(appearance(grey.astype(np.uint16) * 257), appearance(grey), atol=1e-3)
    assert np.allclose(appearance(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)), appearance(grey), atol=1e-6)
