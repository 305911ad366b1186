"""Masks coded as FFV1 (RFC 9043), version 3 with Golomb-Rice codes: what the general encoder does, for flat pictures.

Each pixel is predicted from its neighbours: left L, above T, above left LT, above right RT::

    prediction = median(L, T, L + T - LT)        context = q(L - LT) + 11 q(LT - T) + 121 q(T - RT)

and what is left of it is written as a code whose length the context has learned. Where L = LT = T = RT the context is
0, and the pixels that are as predicted are only counted: a run. Of a mask nearly all pixels are of that kind, whole
blocks of one value, which the loop below steps over at once; all else is to the bit what libavcodec writes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bgsub.simd import inline, kernels_of

kernel = kernels_of(__name__)

CONTEXTS = 666  # (11^3 + 1) / 2: contexts of opposite sign share one
DRIFT, ERRORS, BIAS, COUNT = 0, 1, 2, 3  # what is remembered of a context
NEW_CONTEXT = (0, 4, 0, 1)
SPLIT = 2  # slices beside and below each other
FIRST = 8  # place of a row's first pixel: that of a whole word
FOOTER = 8  # bytes at the end of a slice: three of its length, one that tells damage, four of its checksum
MOST_BYTES_A_PIXEL = 3  # escape of 12 + 8 bits, and the end of a run

_LONGEST_PREFIX, _BITS = 12, 8
_AT_ONCE = 32  # bits that are written at once
_WORD = 8  # pixels that are compared at once
_REPEATED = 0x0101010101010101
_WIDTHS = (1, 3, 7, 23, 93)  # how many differences, from 1 on, fall into each class of the quantiser
_HALF = np.repeat([1, 2, 3, 4, 5], _WIDTHS)
_POLYNOMIAL = 0x04C11DB7
_NONE, _ONE = np.int64(0), np.int64(1)  # Numba compiles a helper once more for plain constants as its arguments


def _quantiser() -> np.ndarray:
    """Return the class, -5 to 5, of each difference modulo 256."""
    return np.concatenate([[0], _HALF, [-5], -_HALF[::-1]]).astype(np.int32)


def _checksums() -> np.ndarray:
    """Return the checksum of each byte."""
    table = np.arange(256, dtype=np.uint64) << 24
    for _ in range(8):
        table = np.where(table & 0x80000000, (table << 1) ^ _POLYNOMIAL, table << 1) & 0xFFFFFFFF
    return table.astype(np.uint32)


QUANTISER = _quantiser()
CHECKSUMS = _checksums()
RUN_LENGTHS = np.array([0] * 4 + [1] * 4 + [2] * 4 + [3] * 4 + [4, 4, 5, 5, 6, 6, 7, 7, *range(8, 25)], np.int64)


class Row(NamedTuple):
    """A row of pixels with one more on either side, as bytes and eight at a time."""

    pixels: np.ndarray  # the first pixel stands at FIRST
    words: np.ndarray


def room(width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return room for two rows, as pixels and as words: the same memory."""
    words = np.zeros((2, (FIRST + width + 1) // _WORD + 1), np.uint64)
    return words.view(np.uint8), words


@inline
def put(out, place, n, bits):
    """Append the lowest n bits; `place` is where the next byte goes, the bits that wait for it, and their number."""
    at, waiting, held = place
    waiting = (waiting << n) | bits
    held += n
    if held >= _AT_ONCE:
        held -= _AT_ONCE
        for i in range(_AT_ONCE // 8):
            out[at + i] = (waiting >> (held + _AT_ONCE - 8 - 8 * i)) & 255
        at += _AT_ONCE // 8
        waiting &= (1 << held) - 1
    return at, waiting, held


@inline
def put_rest(out, place):
    """Append the bits that still wait, filled up to a byte with zeros; return where the next byte goes."""
    at, waiting, held = place
    while held > 0:
        out[at] = ((waiting << 8) >> held) & 255
        at += 1
        held -= 8
    return at


@inline
def folded(difference):
    """Return a difference modulo 256, in -128 to 127."""
    return ((difference + 128) & 255) - 128


@inline
def put_symbol(out, place, state, value):
    """Write what is left of a prediction, and let the context learn it."""
    value = folded(value - state[BIAS])
    k, reach = 0, state[COUNT]
    while reach < state[ERRORS]:
        k += 1
        reach += reach
    code = ~value if 2 * state[DRIFT] + state[COUNT] < 0 else value
    code = 2 * code if code >= 0 else -2 * code - 1
    if code >> k < _LONGEST_PREFIX:
        place = put(out, place, (code >> k) + k + 1, (1 << k) | (code & ((1 << k) - 1)))
    else:
        place = put(out, place, _LONGEST_PREFIX + _BITS, code - _LONGEST_PREFIX + 1)
    learn(state, value)
    return place


@inline
def learn(state, value):
    """Keep in a context how large the values are, and shift its bias where they lean to one side."""
    drift, count = state[DRIFT] + value, state[COUNT]
    state[ERRORS] += abs(value)
    if count == 128:
        count, drift = count >> 1, drift >> 1
        state[ERRORS] >>= 1
    count += 1
    if drift <= -count:
        state[BIAS] = max(state[BIAS] - 1, -128)
        drift = max(drift + count, 1 - count)
    elif drift > 0:
        state[BIAS] = min(state[BIAS] + 1, 127)
        drift = min(drift - count, 0)
    state[DRIFT], state[COUNT] = drift, count


@inline
def end_run(out, place, length, index):
    """Write the whole powers of two in a run's length; return what is left of it too."""
    while length >= 1 << RUN_LENGTHS[index]:
        length -= 1 << RUN_LENGTHS[index]
        index += 1
        place = put(out, place, _ONE, _ONE)
    return place, length, index


@inline
def calm_until(line, above, x, width):
    """Return where the pixels end, from x on, that with all of their neighbours have one value: words of them."""
    value = np.uint64(line.pixels[x + FIRST - 1]) * np.uint64(_REPEATED)
    word = (x + FIRST) // _WORD
    while (
        x + _WORD <= width
        and line.words[word] == value
        and above.words[word] == value
        and above.pixels[x + FIRST + _WORD] == line.pixels[x + FIRST]
    ):
        x += _WORD
        word += 1
    return x


@inline
def put_line(out, place, line, above, width, states, index):
    """Write one row."""
    length, in_run, x = _NONE, False, _NONE
    while x < width:
        at = x + FIRST
        left, above_left = np.int64(line.pixels[at - 1]), np.int64(above.pixels[at - 1])
        top, above_right = np.int64(above.pixels[at]), np.int64(above.pixels[at + 1])
        if left == above_left and left == top and left == above_right and left == line.pixels[at]:
            end = calm_until(line, above, x, width) if x % _WORD == 0 else x
            end = max(end, x + 1)
            in_run, length, x = True, length + end - x, end
            continue
        context = (
            QUANTISER[(left - above_left) & 255]
            + 11 * QUANTISER[(above_left - top) & 255]
            + 121 * QUANTISER[(top - above_right) & 255]
        )
        plane = left + top - above_left
        predicted = max(min(left, top), min(max(left, top), plane))
        value = np.int64(line.pixels[at]) - predicted
        value = folded(-value if context < 0 else value)
        in_run = in_run or context == 0
        x += 1
        if in_run and value == 0:
            length += 1
            continue
        if in_run:
            place, length, index = end_run(out, place, length, index)
            place = put(out, place, 1 + RUN_LENGTHS[index], length)
            if index:
                index -= 1
            length, in_run = _NONE, False
            if value > 0:
                value -= 1  # it is not 0
        place = put_symbol(out, place, states[abs(context)], value)
    if in_run:
        place, length, index = end_run(out, place, length, index)
        if length:
            place = put(out, place, _ONE, _ONE)
    return place, index


@inline
def copy(row, target):
    """Copy a row of pixels."""
    for x in range(row.size):
        target[x] = row[x]


@kernel
def pack(mask, prefixes, sizes, states, pixels, words, out):
    """Write a frame of four slices, and return how many bytes it has.

    `prefixes` (4, n), of which the first `sizes` bytes count, is what stands at the beginning of each slice; `states`
    (4, CONTEXTS, 4) goes on from frame to frame; `pixels` and `words` are `room` for two rows.
    """
    height, width = mask.shape
    at = _NONE
    for s in range(SPLIT * SPLIT):
        row, column = s // SPLIT, s % SPLIT
        top, bottom = height * row // SPLIT, height * (row + 1) // SPLIT
        left, right = width * column // SPLIT, width * (column + 1) // SPLIT
        start, n, index = at, right - left, _NONE
        for i in range(sizes[s]):
            out[at + i] = prefixes[s, i]
        place = (at + sizes[s], _NONE, _NONE)
        words[...] = 0
        for y in range(top, bottom):
            line, above = Row(pixels[y % 2], words[y % 2]), Row(pixels[1 - y % 2], words[1 - y % 2])
            line.pixels[FIRST - 1] = above.pixels[FIRST]
            copy(mask[y, left:right], line.pixels[FIRST:])
            above.pixels[FIRST + n] = above.pixels[FIRST + n - 1]
            place, index = put_line(out, place, line, above, n, states[s], index)
        at = put_footer(out, start, put_rest(out, place))
    return at


@inline
def put_footer(out, start, at):
    """Write the end of the slice from `start`: its length, that it is whole, and the checksum."""
    size = at - start
    out[at], out[at + 1], out[at + 2], out[at + 3] = (size >> 16) & 255, (size >> 8) & 255, size & 255, 0
    at += 4
    checksum = _NONE
    for i in range(start, at):
        checksum = ((checksum << 8) & 0xFFFFFFFF) ^ np.int64(CHECKSUMS[(checksum >> 24) ^ out[i]])
    for i in range(4):
        out[at + i] = (checksum >> (24 - 8 * i)) & 255
    return at + 4
