"""What decoded pictures become: grey with all its digits, upright, of one size, of a known shape of pixel."""

from __future__ import annotations

import logging
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from bgsub.video.opening import open_source, probe
from bgsub.video.readers.orientation import Orientation
from tests.video.clips import HEIGHT, WIDTH, smooth_pictures, write_clip

# Where a stored pixel (x, y) is shown: the 2x2 part of the display matrix, and the same done to an array.
ORIENTATIONS = {
    "upright": ((1, 0, 0, 1), lambda image: image),
    "mirrored": ((-1, 0, 0, 1), lambda image: image[:, ::-1]),
    "upside down": ((1, 0, 0, -1), lambda image: image[::-1]),
    "half a turn": ((-1, 0, 0, -1), lambda image: image[::-1, ::-1]),
    "transposed": ((0, 1, 1, 0), lambda image: image.swapaxes(0, 1)),
    "turned to the right": ((0, 1, -1, 0), lambda image: image.swapaxes(0, 1)[:, ::-1]),
    "turned to the left": ((0, -1, 1, 0), lambda image: image.swapaxes(0, 1)[::-1]),
    "transposed the other way": ((0, -1, -1, 0), lambda image: image.swapaxes(0, 1)[::-1, ::-1]),
}


def grey_images(bits: int, count: int = 3) -> list[np.ndarray]:
    """Noise over the whole range of so many bits, with both ends of it."""
    rng = np.random.default_rng(bits)
    images = [rng.integers(0, 1 << bits, (HEIGHT, WIDTH), np.uint16) for _ in range(count)]
    for image in images:
        image[0, :2] = 0, (1 << bits) - 1
    return images


def write_grey(path: Path, images: list[np.ndarray], pix_fmt: str, codec: str = "rawvideo") -> Path:
    """Encode images of 9 to 16 bits without loss."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options={"strict": "-2"})
        stream.height, stream.width = images[0].shape
        stream.pix_fmt = pix_fmt
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format=pix_fmt)))
        container.mux(stream.encode())
    return path


def write_anamorphic(path: Path, shape: Fraction, codec: str = "mpeg4") -> Path:
    """A clip whose pixels are not square."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.sample_aspect_ratio = shape
        for image in smooth_pictures(12):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode())
    return path


def set_matrix(path: Path, matrix: tuple[int, int, int, int]) -> Path:
    """Write the display matrix of the first track of an mp4."""
    data = bytearray(path.read_bytes())
    place = data.index(b"tkhd") + 44
    for index, value in zip((0, 1, 3, 4), matrix, strict=True):
        struct.pack_into(">i", data, place + 4 * index, value * 65536)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt", "bits"),
    [
        ("a.nut", "rawvideo", "gray9le", 9),
        ("a.nut", "rawvideo", "gray10le", 10),
        ("a.nut", "rawvideo", "gray10be", 10),
        ("a.nut", "rawvideo", "gray12le", 12),
        ("a.nut", "rawvideo", "gray12be", 12),
        ("a.nut", "rawvideo", "gray14le", 14),
        ("a.nut", "rawvideo", "gray14be", 14),
        ("a.nut", "rawvideo", "gray16be", 16),
        ("a.mkv", "ffv1", "gray10le", 10),
        ("a.mkv", "ffv1", "gray16le", 16),
        ("a.mov", "png", "gray16be", 16),
    ],
)
def test_grey_keeps_all_its_digits(tmp_path: Path, name: str, codec: str, pix_fmt: str, bits: int) -> None:
    images = grey_images(bits)
    with open_source(write_grey(tmp_path / name, images, pix_fmt, codec)) as source:
        assert source.info.bits == bits
        frames = list(source)
    for frame, image in zip(frames, images, strict=True):
        assert frame.image.dtype == np.uint16
        np.testing.assert_array_equal(frame.image, image)
    assert probe(tmp_path / name)["bits"] == bits


def test_grey_of_floats_keeps_its_values(tmp_path: Path) -> None:
    image = np.random.default_rng(0).normal(300, 5, (HEIGHT, WIDTH)).astype(np.float32)
    encoder = av.CodecContext.create("exr", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = WIDTH, HEIGHT, "grayf32le", Fraction(1, 25)
    packets = encoder.encode(av.VideoFrame.from_ndarray(image, format="grayf32le")) + encoder.encode(None)
    (tmp_path / "a.exr").write_bytes(b"".join(bytes(packet) for packet in packets))
    with open_source(tmp_path / "a.exr") as source:
        (frame,) = source
    assert (frame.image.dtype, source.info.bits) == (np.float32, 32)
    np.testing.assert_array_equal(frame.image, image)


def test_scaled_grey_keeps_its_range(tmp_path: Path) -> None:
    images = [np.full((HEIGHT, WIDTH), 40_000 + index, np.uint16) for index in range(3)]
    path = write_grey(tmp_path / "a.nut", images, "gray16le")
    with open_source(path, scale=0.5) as source:
        assert [int(frame.image[5, 5]) for frame in source] == [40_000, 40_001, 40_002]


def test_colour_of_more_than_8_bits_has_8(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mkv", smooth_pictures(2), pix_fmt="yuv420p10le")
    with open_source(path) as source:
        assert source.info.bits == 8
        assert {frame.image.dtype for frame in source} == {np.dtype(np.uint8)}


@pytest.mark.parametrize("name", ORIENTATIONS)
def test_all_eight_orientations_are_set_upright(tmp_path: Path, name: str) -> None:
    matrix, shown = ORIENTATIONS[name]
    path = write_clip(tmp_path / "a.mp4", smooth_pictures(3), codec="mpeg4", pix_fmt="yuv420p")
    with open_source(path) as source:
        stored = [frame.image for frame in source]
    with open_source(set_matrix(path, matrix)) as source:
        frames = list(source)
        size = source.info.height, source.info.width
    for frame, image in zip(frames, stored, strict=True):
        np.testing.assert_array_equal(frame.image, shown(image))
        assert frame.image.shape[:2] == size
    told = probe(path)
    assert (told["mirrored"], (told["width"], told["height"])) == (
        np.linalg.det(np.reshape(matrix, (2, 2))) < 0,
        size[::-1],
    )


@pytest.mark.parametrize("degrees", [0, 10, 44, 46, 100, 170, 190, 280, 350])
@pytest.mark.parametrize("mirror", [1, -1])
def test_the_nearest_orientation_is_taken(degrees: int, mirror: int) -> None:
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = np.zeros((3, 3))
    matrix[:2, :2] = np.diag([mirror, 1]) @ turn * 65536
    assert Orientation.of_matrix(matrix) == Orientation(mirror < 0, round(degrees / 90) % 4)


def test_a_matrix_of_nothing_turns_nothing() -> None:
    assert Orientation.of_matrix(np.zeros((3, 3), np.int32)) == Orientation()


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "mpeg4"), ("a.mkv", "mpeg4"), ("a.avi", "mpeg4"), ("a.ts", "mpeg2video")]
)
def test_the_shape_of_pixels_is_told(tmp_path: Path, name: str, codec: str) -> None:
    shape = Fraction(16, 9) * HEIGHT / WIDTH  # MPEG-2 has no others than those of usual screens
    path = write_anamorphic(tmp_path / name, shape, codec)
    with open_source(path) as source, open_source(path, scale=0.5) as half:
        assert (source.info.sample_aspect_ratio, half.info.sample_aspect_ratio) == (shape, shape)
    assert probe(path)["sample_aspect_ratio"] == "4:3"


@pytest.mark.parametrize("name", ORIENTATIONS)
def test_the_shape_of_pixels_turns_with_the_picture(tmp_path: Path, name: str) -> None:
    matrix, _ = ORIENTATIONS[name]
    path = set_matrix(write_anamorphic(tmp_path / "a.mp4", Fraction(16, 11)), matrix)
    with open_source(path) as source:
        assert source.info.sample_aspect_ratio == (Fraction(16, 11) if matrix[0] else Fraction(11, 16))


@pytest.mark.parametrize("shape", [Fraction(1), Fraction(1, 200), Fraction(200)])
def test_pixels_are_square_where_nothing_sensible_is_said(tmp_path: Path, shape: Fraction) -> None:
    with open_source(write_anamorphic(tmp_path / "a.mp4", shape)) as source:
        assert source.info.sample_aspect_ratio == 1


@pytest.fixture
def joined(tmp_path: Path) -> Path:
    """Five frames of 32x24, five of 64x48, then one of 32x24."""
    options = {"codec": "mjpeg", "pix_fmt": "yuvj420p", "container_format": "mjpeg"}
    small = write_clip(tmp_path / "a.mjpeg", smooth_pictures(6), **options)
    large = write_clip(tmp_path / "b.mjpeg", smooth_pictures(5, 64, 48), **options)
    with av.open(str(small)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    path = tmp_path / "joined.mjpeg"
    path.write_bytes(b"".join(packets[:5]) + large.read_bytes() + packets[5])
    return path


def test_pictures_of_another_size_are_brought_to_the_first(joined: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), open_source(joined) as source:
        frames = list(source)
    assert [frame.index for frame in frames] == list(range(11))
    assert {frame.image.shape for frame in frames} == {(HEIGHT, WIDTH, 3)}
    for frame, image in zip(frames, [*smooth_pictures(5), *smooth_pictures(5), smooth_pictures(6)[5]], strict=True):
        np.testing.assert_allclose(frame.image.astype(int), image, atol=6)
    assert [record.getMessage() for record in caplog.records] == [
        f"{joined}: frame 5 (at 0.200 s) has 64x48 pixels, the first has 32x24: it and all others are brought to 32x24"
    ]


def test_a_start_past_a_change_of_size_gives_the_frames_of_the_whole(joined: Path) -> None:
    with open_source(joined) as source:
        whole = list(source)
    with open_source(joined, start=0.28) as source:
        late = list(source)
    assert [(frame.index, frame.time) for frame in late] == [(frame.index, frame.time) for frame in whole[7:]]
    for frame, other in zip(late, whole[7:], strict=True):
        np.testing.assert_array_equal(frame.image, other.image)


def test_a_size_that_is_not_delivered_is_not_told(joined: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), open_source(joined, every=10) as source:
        assert [frame.index for frame in source] == [0, 10]
    assert caplog.records == []


def test_deep_grey_of_another_size_keeps_its_range(tmp_path: Path) -> None:
    """Such pictures are of one stream only where the container lets a size change: NUT's raw video does not."""
    from bgsub.video.readers.pictures import PictureConverter

    small, large = (
        av.VideoFrame.from_ndarray(np.full(shape, 900, np.uint16), format="gray10le") for shape in ((24, 32), (48, 64))
    )
    image = PictureConverter(small).image(large)
    assert (image.shape, image.dtype, set(image.ravel())) == ((24, 32), np.uint16, {900})


@pytest.mark.parametrize(("width", "height"), [(64, 1), (1, 48), (1, 1), (63, 1)])
@pytest.mark.parametrize("pix_fmt", ["gray", "bgr24"])
def test_one_row_or_one_column(tmp_path: Path, width: int, height: int, pix_fmt: str) -> None:
    rng = np.random.default_rng(0)
    shape = (height, width) if pix_fmt == "gray" else (height, width, 3)
    images = [rng.integers(0, 256, shape, np.uint8) for _ in range(3)]
    path = write_clip(tmp_path / "a.nut", images, codec="rawvideo", pix_fmt=pix_fmt)
    with open_source(path) as source:
        assert (source.info.width, source.info.height) == (width, height)
        for frame, image in zip(source, images, strict=True):
            np.testing.assert_array_equal(frame.image, image)
