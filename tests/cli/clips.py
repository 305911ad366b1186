"""Tiny clips to run the program on, the masks that belong to them, and the reading back of what it wrote."""

from pathlib import Path

import av
import numpy as np

from bgsub.background.mog2.model import MOG2

WIDTH, HEIGHT, FPS = 64, 48, 25
MOG2_RUN = ("run", "--method", "mog2")  # its masks are all that these tiny clips need, and `masks_of` has them


def scene(count=30, width=WIDTH, height=HEIGHT, seed=0, leaves=None):
    """A glittering square with a shadow at its side that crosses a textured, noisy ground, and `leaves` it; BGR.

    It glitters because an even one would be learned while it covers a pixel.
    """
    rng = np.random.default_rng(seed)
    ground = rng.integers(80, 170, (height, width, 3)).astype(np.int16)
    images = []
    for index in range(count):
        image = ground + rng.integers(-3, 4, ground.shape)
        images.append(image)
        if leaves is not None and index >= leaves:
            continue
        left = 2 + index % (width - 20)
        image[8:20, left + 10 : left + 16] = image[8:20, left + 10 : left + 16] * 7 // 10
        image[8:20, left : left + 10] = rng.integers(190, 256, (12, 10, 3))
    return [image.clip(0, 255).astype(np.uint8) for image in images]


def write_clip(path, images, codec="ffv1", pix_fmt="bgr0"):
    """Encode images, BGR or grey, losslessly unless another codec is given."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=FPS)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = pix_fmt
        for index, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24" if image.ndim == 3 else "gray")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return Path(path)


def write_sound(path):
    """A second of silence."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        stream.layout = "mono"
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), format="s16", layout="mono")
        sound.sample_rate = 8000
        container.mux(stream.encode(sound))
        container.mux(stream.encode())
    return path


def read_video(path, pix_fmt="gray"):
    """Times in seconds, and pictures."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        return [float(f.pts * stream.time_base) for f in frames], [f.to_ndarray(format=pix_fmt) for f in frames]


def masks_of(images, learning_rate=None, model=None, **parameters):
    """The masks that the model, by default a `MOG2`, gives when it is called by hand."""
    model = model or MOG2(**parameters)
    return [model.apply(image, learning_rate=learning_rate) for image in images]


def shares(masks):
    return [np.count_nonzero(mask == 255) / mask.size for mask in masks]


def assert_masks(path, expected, times=None):
    """The masks in a video are these, to the pixel, at these times (every frame's, by default)."""
    found_times, found = read_video(path)
    assert len(found) == len(expected)
    for index, (mask, wanted) in enumerate(zip(found, expected, strict=True)):
        assert np.array_equal(mask, wanted), f"mask {index}"
    if times is None:
        times = [index / FPS for index in range(len(expected))]
    assert np.allclose(found_times, times, atol=0.0006)  # Matroska counts milliseconds


def files_in(folder):
    """Everything in a folder, hidden files too."""
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*"))
