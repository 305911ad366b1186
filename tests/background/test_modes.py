"""What both models do with the modes of a tile: order by weight, places for new ones, rows that change places."""

from __future__ import annotations

import numpy as np
import pytest

from bgsub.background.modes import MixtureRows, exchange, fetch, rise, start_mode, with_room
from bgsub.simd import rows, select
from tests.simd.test_operators import compiled

K, ROWS = 4, 3


@compiled
def rise_in(weights, modes, i, where, past_equals):
    s = MixtureRows(rows(weights, 16), rows(modes, 16))
    fetch(s, 0, 4, 4, 3)
    rise(s, 0, i, rows(where, 16)[0] > 0, 3, past_equals)


@compiled
def start_in(weights, modes, i, where, value, past_equals):
    s = MixtureRows(rows(weights, 16), rows(modes, 16))
    v = rows(value, 16)[0]
    start_mode(s, 0, i, rows(where, 16)[0] > 0, (v, v + v, v * v), past_equals)


@compiled
def exchange_in(array, where):
    exchange(rows(array, 16), (0, 1), (1, 0), rows(where, 16)[0] > 0)


@compiled
def room_in(weights, where, last, out):
    weight, waiting, places = rows(weights, 16), rows(where, 16)[0] > 0, rows(out, 16)
    for i in range(len(weights)):
        here = with_room(waiting, weight[i], i, last)
        places[0] = select(here, np.float32(i), places[0])
        waiting = waiting & ~here


def scene(seed=0):
    """Weights of which many are equal, modes that differ everywhere, and the lanes that are meant."""
    rng = np.random.default_rng(seed)
    weights = rng.integers(1, 4, (1, K, 16)).astype(np.float32)
    modes = rng.normal(size=(K, 1, ROWS, 16)).astype(np.float32)
    return weights, modes, (rng.random((1, 16)) < 0.7).astype(np.float32)


def risen(weights, modes, i, where, past_equals):
    """One lane at a time: take the mode out, and put it in where the first lighter one (or equal one) was."""
    weights, modes = weights.copy(), modes.copy()
    for lane in np.flatnonzero(where[0]):
        order = list(range(K))
        weight = weights[0, :, lane]
        j = i
        while j > 0 and (weight[j - 1] <= weight[i] if past_equals else weight[j - 1] < weight[i]):
            j -= 1
        order.insert(j, order.pop(i))
        weights[0, :, lane], modes[..., lane] = weight[order], modes[order][..., lane]
    return weights, modes


@pytest.mark.parametrize("past_equals", [True, False])
@pytest.mark.parametrize("i", range(K))
def test_a_mode_rises_past_lighter_ones_and_past_equals_where_asked(i, past_equals):
    for seed in range(8):
        weights, modes, where = scene(seed)
        expected = risen(weights, modes, i, where, past_equals)
        rise_in(weights, modes, i, where, past_equals)
        np.testing.assert_array_equal(weights, expected[0])
        np.testing.assert_array_equal(modes, expected[1])


def test_a_new_mode_gets_its_rows_and_its_place():
    weights, modes, where = scene()
    value = np.arange(16, dtype=np.float32)[None]
    begun = modes.copy()
    begun[2, 0] = np.where(where > 0, np.concatenate([value, 2 * value, value**2]), begun[2, 0])
    expected = risen(weights, begun, 2, where, False)
    start_in(weights, modes, 2, where, value, False)
    np.testing.assert_array_equal(weights, expected[0])
    np.testing.assert_array_equal(modes, expected[1])


def test_rows_change_places_in_the_lanes_meant():
    _, _, where = scene()
    array = np.arange(64, dtype=np.float32).reshape(2, 2, 16)
    expected = array.copy()
    expected[0, 1], expected[1, 0] = (np.where(where[0], array[i], array[i[::-1]]) for i in ((1, 0), (0, 1)))
    exchange_in(array, where)
    np.testing.assert_array_equal(array, expected)


def test_a_new_mode_comes_in_the_first_free_place_or_in_the_last():
    weights = np.ones((K, 16), np.float32)
    weights[2, ::2] = weights[3, ::4] = 0
    weights[0, 4] = 0
    for last in (K - 1, 1):
        places, where = np.full((1, 16), -1, np.float32), np.ones((1, 16), np.float32)
        where[0, 15] = 0
        room_in(weights, where, last, places)
        free = [next((i for i in range(last) if weights[i, lane] == 0), last) for lane in range(15)]
        np.testing.assert_array_equal(places[0], [*free, -1])
