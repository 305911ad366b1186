"""Animations and stacks: all pictures of one file, with their durations, whatever the file is called."""

from __future__ import annotations

import logging
import os
import struct
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from bgsub.errors import SourceError
from bgsub.video.opening import open_source, probe
from bgsub.video.readers import pages, webp
from bgsub.video.readers.contents import content_of
from tests.video.clips import pictures

HAS_ANIMATIONS = hasattr(cv2, "imwriteanimation")  # OpenCV 4.11
WIDTH, HEIGHT = 32, 24


def write_tiff(path: Path, images: list[np.ndarray], *, order: str = "<", kinds: list[int] | None = None) -> Path:
    """Write grey pages by hand: of any type, in any order of bytes; kind 1 is a smaller copy, 4 a mask."""
    out = bytearray((b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 0))
    link = 4
    for image, kind in zip(images, kinds or [0] * len(images), strict=True):
        data = image.astype(image.dtype.newbyteorder(order)).tobytes()
        place = len(out)
        out += data + bytes(len(data) % 2)
        height, width = image.shape
        form = {"u": 1, "i": 2, "f": 3}[image.dtype.kind]
        tags = [
            *((254, 4, kind), (256, 3, width), (257, 3, height), (258, 3, 8 * image.dtype.itemsize), (259, 3, 1)),
            *((262, 3, 1), (273, 4, place), (277, 3, 1), (278, 3, height), (279, 4, len(data)), (339, 3, form)),
        ]
        struct.pack_into(order + "I", out, link, len(out))
        out += struct.pack(order + "H", len(tags))
        for tag, type_, value in tags:
            out += struct.pack(order + "HHI", tag, type_, 1)
            out += struct.pack(order + "HH", value, 0) if type_ == 3 else struct.pack(order + "I", value)
        link = len(out)
        out += bytes(4)
    path.write_bytes(out)
    return path


def write_apng(path: Path, images: list[np.ndarray], milliseconds: list[int]) -> Path:
    """Write an APNG out of single PNGs."""
    parts = []
    for image in images:
        data = cv2.imencode(".png", image)[1].tobytes()
        parts.append({kind: b"".join(d for k, d in _png_chunks(data) if k == kind) for kind in (b"IHDR", b"IDAT")})
    out = b"\x89PNG\r\n\x1a\n" + _png(b"IHDR", parts[0][b"IHDR"]) + _png(b"acTL", struct.pack(">II", len(images), 0))
    number = 0
    for index, (part, duration) in enumerate(zip(parts, milliseconds, strict=True)):
        height, width = images[0].shape[:2]
        out += _png(b"fcTL", struct.pack(">IIIIIHHBB", number, width, height, 0, 0, duration, 1000, 0, 0))
        number += 1
        if index:
            out += _png(b"fdAT", struct.pack(">I", number) + part[b"IDAT"])
            number += 1
        else:
            out += _png(b"IDAT", part[b"IDAT"])
    path.write_bytes(out + _png(b"IEND", b""))
    return path


def _png(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    place, found = 8, []
    while place < len(data):
        (length,) = struct.unpack_from(">I", data, place)
        found.append((data[place + 4 : place + 8], data[place + 8 : place + 8 + length]))
        place += 12 + length
    return found


def webp_piece(image: np.ndarray, left: int, top: int, duration: int, flags: int = 0) -> bytes:
    """One picture of an animation, without loss; flag 1 clears it afterwards, 2 does not blend."""
    data = cv2.imencode(".webp", image, [cv2.IMWRITE_WEBP_QUALITY, 101])[1].tobytes()[12:]
    if data[:4] == b"VP8X":
        data = data[18:]
    height, width = image.shape[:2]
    numbers = (left // 2, top // 2, width - 1, height - 1, duration)
    body = b"".join(number.to_bytes(3, "little") for number in numbers) + bytes([flags]) + data
    return b"ANMF" + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def write_webp(path: Path, *pieces: bytes, width: int = WIDTH, height: int = HEIGHT) -> Path:
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    chunks = b"VP8X" + struct.pack("<I", 10) + bytes([0x12, 0, 0, 0]) + sides
    chunks += b"ANIM" + struct.pack("<IIH", 6, 0xFFFFFFFF, 0) + b"".join(pieces)
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks)
    return path


def grey(count: int, dtype: str = "u2") -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return [rng.normal(300, 50, (HEIGHT, WIDTH)).astype(kind) for _ in range(count)]
    ends = np.iinfo(kind)
    return [rng.integers(ends.min, ends.max, (HEIGHT, WIDTH), kind, endpoint=True) for _ in range(count)]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("dtype", "delivered", "bits"),
    [
        ("u1", "u1", 8),
        ("u2", "u2", 16),
        ("i2", "i2", 16),
        ("f4", "f4", 32),
        ("f8", "f8", 64),
        ("i4", "f8", 32),
        pytest.param("u4", "f8", 32, marks=pytest.mark.skipif(cv2.__version__ < "5", reason="OpenCV 4 has no uint32")),
    ],
)
def test_pages_of_a_tiff_keep_all_their_digits(
    tmp_path: Path, order: str, dtype: str, delivered: str, bits: int
) -> None:
    images = grey(5, dtype)
    path = write_tiff(tmp_path / "a.tif", images, order=order)
    with open_source(path) as source:
        assert (source.info.frame_count, source.info.bits, source.info.fps) == (5, bits, 25)
        frames = list(source)
    assert [frame.time for frame in frames] == pytest.approx([0, 0.04, 0.08, 0.12, 0.16])
    for frame, image in zip(frames, images, strict=True):
        assert frame.image.dtype == np.dtype(delivered)
        np.testing.assert_array_equal(frame.image, image)
    single = write_tiff(tmp_path / "b.tif", images[:1], order=order)  # and so does a file of one page
    with open_source(single) as source:
        (frame,) = source
    assert frame.image.dtype == np.dtype(delivered)
    np.testing.assert_array_equal(frame.image, images[0])


@pytest.mark.parametrize("compression", [1, 5, 8])  # none, LZW, Deflate
def test_pages_of_a_tiff_in_colour(tmp_path: Path, compression: int) -> None:
    images = pictures(7)
    path = tmp_path / "a.tiff"
    assert cv2.imwritemulti(str(path), images, [cv2.IMWRITE_TIFF_COMPRESSION, compression])
    with open_source(path, fps=10) as source:
        frames = list(source)
    assert [frame.time for frame in frames] == pytest.approx([index / 10 for index in range(7)])
    for frame, image in zip(frames, images, strict=True):
        np.testing.assert_array_equal(frame.image, image)


def test_smaller_copies_and_masks_in_a_tiff_are_no_pages(tmp_path: Path) -> None:
    images = grey(3)
    small = [image[::2, ::2] for image in images]
    both = [page for pair in zip(images, small, strict=True) for page in pair]
    path = write_tiff(tmp_path / "a.tif", both, kinds=[0, 1] * 3)
    with open_source(path) as source:
        for frame, image in zip(source, images, strict=True):
            np.testing.assert_array_equal(frame.image, image)
    assert content_of(write_tiff(tmp_path / "b.tif", [images[0], small[0]], kinds=[0, 1])) == "other"
    assert content_of(write_tiff(tmp_path / "c.tif", images[:2], kinds=[0, 4])) == "other"


def test_pages_of_another_size_are_brought_to_the_first(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    large = [np.full((48, 64), 5000, np.uint16)] * 2
    path = write_tiff(tmp_path / "a.tif", [*grey(2), *large])
    with caplog.at_level(logging.WARNING), open_source(path) as source:
        frames = list(source)
    assert [frame.image.shape for frame in frames] == [(24, 32)] * 4
    assert set(frames[3].image.ravel()) == {5000}
    (record,) = caplog.records
    assert record.getMessage().startswith(f"{path}: picture 2 has 64x48 pixels, the first has 32x24: it and all others")


def test_pages_are_decoded_a_few_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "_AT_ONCE", 8 * WIDTH * HEIGHT * 3)
    asked = []
    read = cv2.imreadmulti

    def remembered(name: str, first: int, count: int, **options: int) -> object:
        asked.append((first, count))
        return read(name, first, count, **options)

    monkeypatch.setattr(cv2, "imreadmulti", remembered)
    images = grey(10)
    with open_source(write_tiff(tmp_path / "a.tif", images), start=0.16, prefetch=0) as source:
        for frame, image in zip(source, images[4:], strict=True):
            np.testing.assert_array_equal(frame.image, image)
    assert asked == [(0, 1), (4, 3), (7, 3)]


@pytest.mark.parametrize("damaged", [1, 4])
def test_a_damaged_page_is_counted_and_skipped(tmp_path: Path, damaged: int) -> None:
    images = grey(5)
    path = write_tiff(tmp_path / "a.tif", images)
    data = bytearray(path.read_bytes())
    with path.open("rb") as file:
        assert len(pages.tiff_pages(file)) == 5
    tag = struct.pack("<HHI", 259, 3, 1)
    place = [i for i in range(len(data)) if data[i : i + 8] == tag][damaged]
    data[place + 8] = 99  # a compression that does not exist
    path.write_bytes(data)
    with open_source(path) as source:
        assert [frame.index for frame in source] == [index for index in range(5) if index != damaged]
        assert source.damaged == 1


@pytest.mark.parametrize("kept", [9, 100, 0.5, 0.99])
def test_a_tiff_that_is_cut_off(tmp_path: Path, kept: float) -> None:
    path = write_tiff(tmp_path / "a.tif", grey(5))
    data = path.read_bytes()
    path.write_bytes(data[: int(kept) if kept > 1 else int(kept * len(data))])
    try:
        with open_source(path) as source:
            assert len(list(source)) < 5
    except SourceError as error:
        assert "\n" not in str(error)


def test_pages_in_a_ring_end(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tif", grey(3))
    data = bytearray(path.read_bytes())
    (first,) = struct.unpack_from("<I", data, 4)
    struct.pack_into("<I", data, len(data) - 4, first)
    path.write_bytes(data)
    with path.open("rb") as file:
        assert [page.number for page in pages.tiff_pages(file)] == [0, 1, 2]


def test_pictures_beyond_the_limit_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (pages, webp):
        monkeypatch.setattr(module, "MAX_PIXELS", 700)
    with pytest.raises(SourceError, match="32x24 pixels, more than the"):
        open_source(write_tiff(tmp_path / "a.tif", grey(3)))
    with pytest.raises(SourceError, match="32x24 pixels, more than the"):
        open_source(write_webp(tmp_path / "a.webp", webp_piece(pictures(1)[0], 0, 0, 40)))


@pytest.mark.parametrize("name", ["a.png", "a.apng", "a.jpg", "a"])
def test_an_animated_png_is_all_its_pictures(tmp_path: Path, name: str) -> None:
    images = pictures(6)
    path = write_apng(tmp_path / name, images, [40, 80, 40, 200, 40, 40])
    with open_source(path) as source:
        frames = list(source)
    assert [frame.time for frame in frames] == pytest.approx([0, 0.04, 0.12, 0.16, 0.36, 0.40])
    for frame, image in zip(frames, images, strict=True):
        np.testing.assert_array_equal(frame.image, image)


def test_an_animated_png_of_16_bits_keeps_them(tmp_path: Path) -> None:
    images = grey(4)
    with open_source(write_apng(tmp_path / "a.png", images, [40] * 4)) as source:
        for frame, image in zip(source, images, strict=True):
            assert frame.image.dtype == np.uint16
            np.testing.assert_array_equal(frame.image, image)


@pytest.mark.parametrize("name", ["a.webp", "a.png", "a"])
def test_an_animated_webp_is_all_its_pictures(tmp_path: Path, name: str) -> None:
    images = pictures(5)
    durations = [40, 80, 5, 200, 40]  # too short a one is shown for a tenth of a second, as browsers do
    pieces = [webp_piece(image, 0, 0, duration) for image, duration in zip(images, durations, strict=True)]
    path = write_webp(tmp_path / name, *pieces)
    with open_source(path) as source:
        assert (source.info.frame_count, source.info.codec) == (5, "webp")
        frames = list(source)
    assert [frame.time for frame in frames] == pytest.approx([0, 0.04, 0.12, 0.22, 0.42])
    for frame, image in zip(frames, images, strict=True):
        np.testing.assert_array_equal(frame.image, image)
    assert probe(path)["duration"] == pytest.approx(0.46)
    with open_source(path, start=0.2, fps=10) as source:
        assert [frame.index for frame in source] == [2, 3, 4]
        assert source.info.fps == 10


def test_pieces_of_an_animation_are_laid_on_those_before(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    ground = pictures(1)[0]
    patch = rng.integers(0, 256, (10, 8, 3), np.uint8)
    window = np.s_[4:14, 6:14]
    clear = np.dstack([patch, np.repeat([[0], [255]], 5, axis=0).repeat(8, axis=1)]).astype(np.uint8)
    pieces = [
        webp_piece(ground, 0, 0, 40),
        webp_piece(patch, 6, 4, 40),
        webp_piece(clear, 6, 4, 40),  # the upper half of it shows what is below
        webp_piece(patch, 6, 4, 40, flags=1),
        webp_piece(patch[:2, :2], 0, 0, 40),  # where the one before has vanished nothing is left
    ]
    with open_source(write_webp(tmp_path / "a.webp", *pieces)) as source:
        frames = [frame.image for frame in source]
    expected = [ground.copy() for _ in pieces]
    for image in expected[1:4]:
        image[window] = patch
    expected[4][window] = 0
    expected[4][:2, :2] = patch[:2, :2]
    for image, other in zip(frames, expected, strict=True):
        np.testing.assert_array_equal(image, other)


def test_what_is_half_transparent_is_mixed(tmp_path: Path) -> None:
    ground = np.full((HEIGHT, WIDTH, 3), 100, np.uint8)
    veil = np.dstack([np.full((HEIGHT, WIDTH, 3), 200, np.uint8), np.full((HEIGHT, WIDTH), 128, np.uint8)])
    path = write_webp(tmp_path / "a.webp", webp_piece(ground, 0, 0, 40), webp_piece(veil, 0, 0, 40))
    with open_source(path) as source:
        mixed = list(source)[1].image
    np.testing.assert_allclose(mixed.astype(int), 150, atol=1)


@pytest.mark.skipif(not HAS_ANIMATIONS, reason="OpenCV 4.10 writes no animations")
@pytest.mark.parametrize("quality", [30, 80, 101])
@pytest.mark.parametrize("alpha", [False, True])
def test_an_animated_webp_is_that_of_opencv(tmp_path: Path, quality: int, alpha: bool) -> None:
    animation = cv2.Animation()
    ground = cv2.GaussianBlur(pictures(1, 64, 48)[0], (0, 0), 3)
    images = []
    for index in range(12):
        image = ground.copy()
        image[10:30, 3 * index : 3 * index + 12] = 20, 200, 250
        opacity = np.full((48, 64, 1), 255, np.uint8)
        opacity[:, : 5 * index] = 90
        images.append(np.dstack([image, opacity]) if alpha else image)
    animation.frames, animation.durations = images, [40] * 12
    path = tmp_path / "a.webp"
    assert cv2.imwriteanimation(str(path), animation, [cv2.IMWRITE_WEBP_QUALITY, quality])
    expected = cv2.imreadanimation(str(path))[1].frames
    with open_source(path) as source:
        for frame, image in zip(source, expected, strict=True):
            np.testing.assert_array_equal(frame.image, image[:, :, :3])


def test_a_damaged_piece_is_counted_and_skipped(tmp_path: Path) -> None:
    pieces = [webp_piece(image, 0, 0, 40) for image in pictures(4)]
    broken = bytearray(pieces[2])
    broken[40:60] = bytes(20)
    outside = webp_piece(pictures(1)[0], 20, 0, 40)
    with open_source(write_webp(tmp_path / "a.webp", *pieces[:2], bytes(broken), pieces[3], outside)) as source:
        assert [frame.index for frame in source] == [0, 1, 3]
        assert source.damaged == 2


def test_an_animation_without_a_picture(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"a.webp: it is an animation without a picture; check the file"):
        open_source(write_webp(tmp_path / "a.webp"))


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif", ".bmp", ".jpg"])
def test_single_pictures_are_one_frame(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    assert cv2.imwrite(str(path), pictures(1)[0])
    assert content_of(path) == "other"
    with open_source(path) as source:
        assert len(list(source)) == 1


def test_a_folder_of_several_takes_the_first_of_each_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("1.tif", "2.tif"):
        write_tiff(tmp_path / name, grey(3))
    with caplog.at_level(logging.WARNING), open_source(tmp_path) as source:
        assert len(list(source)) == 2
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path / '1.tif'} holds several pictures, of which the first is taken: give it by its own name"
    ]


def test_the_only_file_of_a_folder_is_all_its_pictures(tmp_path: Path) -> None:
    write_tiff(tmp_path / "1.tif", grey(3))
    for name in (tmp_path, tmp_path / "*.tif"):
        with open_source(name) as source:
            assert len(list(source)) == 3


def test_several_stacks_follow_each_other(tmp_path: Path) -> None:
    paths = [write_tiff(tmp_path / name, grey(3)) for name in ("1.tif", "2.tif")]
    with open_source(paths) as source:
        assert [frame.index for frame in source] == list(range(6))


@pytest.mark.parametrize("suffix", [".gif", ".avif"])
def test_folders_of_pictures_that_opencv_can_read(tmp_path: Path, suffix: str) -> None:
    images = [np.full((HEIGHT, WIDTH, 3), value, np.uint8) for value in (50, 100, 150)]
    try:
        for index, image in enumerate(images):
            assert cv2.imwrite(str(tmp_path / f"{index}{suffix}"), image)
    except (cv2.error, AssertionError):
        pytest.skip(f"this OpenCV does not write {suffix}")
    with open_source(tmp_path) as source:
        for frame, image in zip(source, images, strict=True):
            assert abs(frame.image.mean() - image.mean()) < 6  # a GIF dithers


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are texts")
def test_a_stack_whose_name_is_no_text(tmp_path: Path) -> None:
    images = grey(5)
    path = tmp_path / os.fsdecode(b"caf\xe9.tif")
    write_tiff(path, images)
    with open_source(path) as source:
        for frame, image in zip(source, images, strict=True):
            np.testing.assert_array_equal(frame.image, image)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".ppm", ".pgm", ".pbm"])
@pytest.mark.parametrize("deep", [False, True])
def test_pictures_that_follow_each_other_in_a_file(tmp_path: Path, suffix: str, deep: bool) -> None:
    if deep and suffix in (".bmp", ".pbm", ".ppm"):
        pytest.skip("8 bits at most, or colour")
    images = grey(4, "u2" if deep else "u1")
    if suffix == ".ppm":
        images = pictures(4)
    elif suffix == ".pbm":
        images = [np.where(image > 127, 255, 0).astype(np.uint8) for image in images]
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"".join(cv2.imencode(suffix, image)[1].tobytes() for image in images))
    with open_source(path) as source:
        frames = list(source)
    assert [frame.time for frame in frames] == pytest.approx([0, 0.04, 0.08, 0.12])
    for frame, image in zip(frames, images, strict=True):
        grey_image = frame.image if frame.image.ndim == image.ndim else frame.image[:, :, 0]
        np.testing.assert_array_equal(grey_image, image)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".ppm", ".pgm"])
def test_what_follows_a_picture_and_is_none(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    image = pictures(1)[0] if suffix != ".pgm" else grey(1, "u1")[0]
    path.write_bytes(cv2.imencode(suffix, image)[1].tobytes() + b"a note of the camera\n" * 9)
    with open_source(path) as source:
        assert len(list(source)) == 1
