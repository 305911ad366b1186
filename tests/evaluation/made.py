"""Small data sets on a disk, in both layouts."""

from pathlib import Path

import cv2
import numpy as np

from tests.cli.clips import write_clip

WIDTH, HEIGHT = 40, 32


def pictures(count=12, seed=0, grey=False):
    """Frames of a noisy ground that a bright square crosses, and their labels; the square casts a shadow below."""
    rng = np.random.default_rng(seed)
    ground = rng.integers(80, 170, (HEIGHT, WIDTH, 3)).astype(np.int16)
    images, truths = [], []
    for i in range(count):
        image = ground + rng.integers(-3, 4, ground.shape)
        truth = np.zeros((HEIGHT, WIDTH), np.uint8)
        if i >= count // 2:
            left = 2 + 2 * (i - count // 2)
            image[8:18, left : left + 10] = 240
            image[18:21, left : left + 10] = image[18:21, left : left + 10] * 7 // 10
            truth[8:18, left : left + 10] = 255
            truth[18:21, left : left + 10] = 50
            truth[7, left : left + 10] = 170
        image = image.clip(0, 255).astype(np.uint8)
        images.append(image[..., 0].copy() if grey else image)
        truths.append(truth)
    return images, truths


def write_image(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


def write_sequence(folder, images, truths, *, first=1, span=None, region=None):
    """A sequence in CDnet's layout; a truth that is None is left out."""
    folder = Path(folder)
    for number, (image, truth) in enumerate(zip(images, truths, strict=True), first):
        write_image(folder / "input" / f"in{number:06d}.png", image)
        if truth is not None:
            write_image(folder / "groundtruth" / f"gt{number:06d}.png", truth)
    if span is not None:
        (folder / "temporalROI.txt").write_text(span)
    if region is not None:
        write_image(folder / "ROI.bmp", region)
    return folder


def write_clip_with_truth(folder, name, images, truths):
    """A clip and its ground truth beside it."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_clip(folder / f"{name}.truth.mkv", truths, pix_fmt="gray")
    return write_clip(folder / f"{name}.mkv", images)


def write_dataset(root, seed=0):
    """Three sequences in two categories."""
    for i, key in enumerate(["easy/one", "easy/two", "hard/three"]):
        write_sequence(Path(root) / key, *pictures(seed=seed + i), span="3 12")
    return Path(root)


class Repeating:
    """A model that gives one mask after the other."""

    def __init__(self, masks):
        self.masks = iter(masks)

    def apply(self, image):
        return next(self.masks)
