"""What tells groups apart in every figure: colours that the colour-blind see, shapes, dashes."""

import itertools

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from bgsub.plots.figures import UNUSUAL_COLOUR, colours, dashes, markers, mixed
from bgsub.plots.mask_errors import LEGEND
from tests.plots.seeing import SEEN_BY, closest


@pytest.mark.parametrize("viewer", SEEN_BY)
def test_seven_colours_are_told_apart_by_everybody(viewer):
    assert closest([*colours(7), to_rgb(UNUSUAL_COLOUR), (1, 1, 1)], viewer) > 15


@pytest.mark.parametrize("viewer", SEEN_BY)
def test_kinds_of_errors_are_told_apart_by_everybody(viewer):
    assert closest([to_rgb(colour) for colour in LEGEND.values()], viewer) > 30


@pytest.mark.parametrize("viewer", SEEN_BY)
@pytest.mark.parametrize("count", [2, 10, 14])
def test_groups_differ_by_colour_or_by_shape(viewer, count):
    """Two groups of one shape have colours that everybody tells apart; and of two that look alike the shapes differ."""
    shapes, palette = markers(count), colours(count)
    for shape in set(shapes):
        group = [colour for colour, own in zip(palette, shapes, strict=True) if own == shape]
        assert len(group) == 1 or closest(group, viewer) > 12


def test_the_first_colours_and_shapes_do_not_depend_on_how_many_there_are():
    assert np.array_equal(colours(40)[:3], colours(3))
    assert markers(40)[:3] == markers(3) and dashes(40)[:3] == dashes(3)


@pytest.mark.parametrize("count", [0, 1, 3, 10, 40, 100])
def test_colours_differ(count):
    palette = colours(count)
    assert palette.shape == (count, 3)
    assert palette.min(initial=0) >= 0 and palette.max(initial=0) <= 1
    assert len(np.unique(palette.round(6), axis=0)) == count


@pytest.mark.parametrize("make", [markers, dashes])
def test_neighbours_differ_by_more_than_colour(make):
    styles = [str(style) for style in make(60)]
    assert len(set(styles[:5])) == 5
    assert all(one != other for one, other in itertools.pairwise(styles))


def test_colours_mix_as_light_does():
    palette = np.array([[1.0, 0, 0], [0, 0, 1.0]])
    found = mixed(np.array([[1, 0], [0, 1], [0.5, 0.5]]), palette)
    assert np.allclose(found[:2], palette)
    assert np.allclose(found[2], [0.5 ** (1 / 2.2), 0, 0.5 ** (1 / 2.2)])
