"""Masks packed here are, byte for byte, what libavcodec's FFV1 gives."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction

import av
import numpy as np
import pytest

from bgsub.video.frame import Frame
from bgsub.video.writers import codecs, ffv1
from bgsub.video.writers.videos import mask_sink
from tests.video.writers.sink_clips import clip_info, read_video

SIZES = [(2, 2), (2, 9), (3, 3), (16, 16), (17, 33), (48, 64), (37, 250), (120, 161)]
VALUES = np.array([0, 127, 255], np.uint8)


def specks(rng, shape):
    """Mostly background, with single pixels of objects and shadows."""
    return rng.choice(VALUES, shape, p=(0.97, 0.01, 0.02))


def blocks(rng, shape):
    """Rectangles of the three values, over all borders of words and slices."""
    mask = np.zeros(shape, np.uint8)
    for _ in range(6):
        top, left = rng.integers(0, shape[0]), rng.integers(0, shape[1])
        mask[top : top + rng.integers(1, shape[0] + 1), left : left + rng.integers(1, shape[1] + 1)] = rng.choice(
            VALUES
        )
    return mask


def stripes(rng, shape):
    """Rows of one value each."""
    return np.repeat(rng.choice(VALUES, (shape[0], 1)), shape[1], axis=1)


def posts(rng, shape):
    """Columns of one value each, some of them wide."""
    return np.repeat(np.repeat(rng.choice(VALUES, (1, shape[1])), shape[0], axis=0), 9, axis=1)[:, : shape[1]]


def flat(rng, shape):
    """One value everywhere: what models give at first."""
    return np.full(shape, rng.choice(VALUES), np.uint8)


def noise(rng, shape):
    """All values, as no mask has them: every code there is."""
    return rng.integers(0, 256, shape).astype(np.uint8)


def slopes(rng, shape):
    """Values that climb slowly, so that contexts learn a bias."""
    rise = rng.integers(1, 9, 2)
    rows, columns = np.indices(shape)
    return (rows * rise[0] + columns * rise[1] + rng.integers(0, 2, shape)).astype(np.uint8)


KINDS = [specks, blocks, stripes, posts, flat, noise, slopes]


def encoder(shape, interval=10, **others):
    """libavcodec's encoder, opened as for masks, and its options."""
    options = {**codecs.FFV1_GRAY.options, "g": str(interval), **others}
    context = av.CodecContext.create("ffv1", "w")
    context.height, context.width = shape
    context.pix_fmt, context.time_base, context.options = "gray", Fraction(1, 1000), dict(options)
    context.open()
    return context, options


def encoded(context, masks):
    """libavcodec's packets."""
    packets = []
    for index, mask in enumerate(masks):
        frame = av.VideoFrame.from_ndarray(mask, format="gray")
        frame.pts = index
        packets += context.encode(frame)
    return packets


def packets_of(path):
    """What a file holds of each packet."""
    with av.open(str(path)) as container:
        found = [packet for packet in container.demux() if packet.size]
        return [(bytes(packet), packet.pts, packet.dts, packet.duration, packet.is_keyframe) for packet in found]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SIZES)
def test_packets_are_those_of_libavcodec(kind, shape):
    rng = np.random.default_rng(shape)
    context, options = encoder(shape)
    packer = ffv1.packer_like(context, options, Fraction(1))
    masks = [np.ascontiguousarray(kind(rng, shape)) for _ in range(23)]
    packets = encoded(context, masks)
    for mask, packet in zip(masks, packets, strict=True):
        assert bytes(packer.pack(mask)) == bytes(packet)
        assert packer.is_key == packet.is_keyframe


@pytest.mark.parametrize("interval", [1, 2, 3, 10])
def test_what_contexts_have_learned_goes_on_until_the_next_key_frame(interval):
    rng = np.random.default_rng(interval)
    context, options = encoder((40, 60), interval)
    packer = ffv1.packer_like(context, options, Fraction(1))
    masks = [KINDS[i % len(KINDS)](rng, (40, 60)) for i in range(25)]
    packets = encoded(context, [np.ascontiguousarray(mask) for mask in masks])
    assert [bytes(packer.pack(mask)) for mask in masks] == [bytes(packet) for packet in packets]


def test_a_mask_that_is_a_view_is_packed_as_its_pixels_are():
    context, options = encoder((24, 30))
    packer = ffv1.packer_like(context, options, Fraction(1))
    whole = noise(np.random.default_rng(1), (60, 48))
    (packet,) = encoded(context, [np.ascontiguousarray(whole.T[::2, ::2])])
    assert bytes(packer.pack(whole.T[::2, ::2])) == bytes(packet)


@pytest.mark.parametrize(
    "others",
    [
        {"slices": "16"},
        {"coder": "range_def"},
        {"context": "1"},
        {"slicecrc": "0"},
        {"level": "1", "slices": "0", "slicecrc": "-1"},
    ],
)
def test_another_way_of_encoding_is_left_to_libavcodec(others):
    context, options = encoder((48, 64), **others)
    assert ffv1.packer_like(context, options, Fraction(1)) is None


def test_a_stream_whose_head_says_something_else_is_left_to_libavcodec():
    context, options = encoder((48, 64), slices="16")
    usual = {**options, "slices": "4"}
    assert ffv1.packer_like(encoder((48, 64))[0], usual, Fraction(1)) is not None
    assert ffv1.packer_like(context, usual, Fraction(1)) is None


def test_one_byte_that_differs_leaves_all_to_libavcodec(monkeypatch):
    true = ffv1._encoded

    def otherwise(*arguments):
        head, packets = true(*arguments)
        return head, [*packets[:2], packets[2][:-1] + bytes([packets[2][-1] ^ 1])]

    context, options = encoder((48, 64))
    assert ffv1.packer_like(context, options, Fraction(1)) is not None
    monkeypatch.setattr(ffv1, "_encoded", otherwise)
    assert ffv1.packer_like(context, options, Fraction(1)) is None


def test_pictures_whose_slices_might_be_too_long_are_left_to_libavcodec(monkeypatch):
    context, options = encoder((48, 64))
    monkeypatch.setattr(ffv1, "_MOST_PIXELS", 48 * 64 - 1)
    assert ffv1.packer_like(context, options, Fraction(1)) is None


def write(path, masks, info, times=None):
    """Write a file of masks."""
    height, width = masks[0].shape
    image = np.zeros((height, width, 3), np.uint8)
    with mask_sink(path, info) as sink:
        for index, mask in enumerate(masks):
            sink.write(Frame(index, times[index] if times else index / 25, image), mask)
    return path


@pytest.mark.parametrize(
    ("size", "more"),
    [
        ((64, 48), {}),
        ((63, 47), {"sample_aspect_ratio": Fraction(16, 11)}),
        ((64, 48), {"fps": None}),
        ((64, 48), {"fps": Fraction(1, 2)}),
        ((33, 2), {"fps": Fraction(60_000, 1001)}),
        ((64, 1), {}),
        ((1, 64), {}),
    ],
)
def test_a_file_is_the_same_whoever_packs_it(tmp_path, monkeypatch, size, more):
    width, height = size
    rng = np.random.default_rng(0)
    masks = [KINDS[i % len(KINDS)](rng, (height, width)) for i in range(30)]
    times = [0.0, 0.04, 0.041, 0.3, *(0.5 + 0.1 * i for i in range(26))]
    info = clip_info(width, height, **more)
    mine = write(tmp_path / "mine.mkv", masks, info, times)
    monkeypatch.setattr(ffv1, "packer_like", lambda *arguments: None)
    theirs = write(tmp_path / "theirs.mkv", masks, info, times)
    assert packets_of(mine) == packets_of(theirs)
    assert len(packets_of(mine)) == 30
    np.testing.assert_array_equal(read_video(mine, "gray")[1], masks)


def test_a_usual_file_is_packed_here(tmp_path, monkeypatch):
    packed = []
    true = ffv1.MaskPacker.pack
    monkeypatch.setattr(ffv1.MaskPacker, "pack", lambda self, mask: packed.append(1) or true(self, mask))
    write(tmp_path / "m.mkv", [noise(np.random.default_rng(i), (48, 64)) for i in range(5)], clip_info())
    assert len(packed) == 5


CHECKED = """
import numpy as np
from fractions import Fraction
from tests.video.writers.test_ffv1 import KINDS, encoded, encoder
from bgsub.video.writers import ffv1

rng = np.random.default_rng(0)
for shape in ((2, 2), (17, 33), (20, 50)):
    context, options = encoder(shape, 2)
    packer = ffv1.packer_like(context, options, Fraction(1))
    masks = [np.ascontiguousarray(kind(rng, shape)) for kind in KINDS]
    assert [bytes(packer.pack(m)) for m in masks] == [bytes(p) for p in encoded(context, masks)]
print("equal")
"""


@pytest.mark.slow
@pytest.mark.parametrize("setting", ["NUMBA_DISABLE_JIT", "NUMBA_BOUNDSCHECK"])
def test_no_index_is_out_of_bounds(setting, tmp_path, monkeypatch):
    monkeypatch.setenv(setting, "1")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    done = subprocess.run([sys.executable, "-W", "error", "-c", CHECKED], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr.replace("bgsub: preparing for this processor, once (a few seconds)\n", "")) == (
        "equal\n",
        "",
    )
