"""Folders and patterns of numbered images as a video."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from bgsub.errors import SourceError
from bgsub.formats import READABLE_IMAGES, READABLE_VIDEOS
from bgsub.video.frame import Frame, VideoInfo
from bgsub.video.readers.contents import SEVERAL, content_of
from bgsub.video.readers.image_names import name_pattern, names_of, number_order, numbers_of
from bgsub.video.readers.stills import AS_IT_IS, Look, decode
from bgsub.video.recorded import recorded_at
from bgsub.video.selection import Selection
from bgsub.video.source import Source

log = logging.getLogger(__name__)

DEFAULT_FPS = Fraction(25)


def list_images(path: Path | Sequence[Path]) -> list[Path]:
    """Return the image files that a path means, in the order of their numbers.

    Parameters
    ----------
    path : Path or sequence of Path
        An image, a folder of images, a folder whose ``input`` folder holds them (CDnet), or a pattern; or the images
        themselves, which stay in their order.

    Raises
    ------
    SourceError
        When there are none; the text names what was looked for.
    """
    if not isinstance(path, Path):
        return list(path)
    if path.is_file():
        return [path]
    if path.is_dir():
        # A CDnet sequence has pictures of its region of interest beside the folder of its frames.
        images = _images_in(path / "input") or _images_in(path)
        kinds = ", ".join(sorted(suffix[1:] for suffix in READABLE_IMAGES))
        sought = f"image ({kinds}) in this folder or its folder input"
        if not images and any(file.suffix.lower() in READABLE_VIDEOS for file in path.iterdir()):
            raise SourceError(f"cannot open {path}: it is a folder of videos; name one of them")
    else:
        images = _images_in(path.parent, name_pattern(path.name))
        sought = f"image named {path.name} in this folder"
        path = path.parent
    if not images:
        raise SourceError(f"cannot open {path}: no {sought}; check the path")
    return sorted(images, key=number_order)


def _images_in(folder: Path, pattern: re.Pattern[str] | None = None) -> list[Path]:
    if not folder.is_dir():
        return []
    return [
        file
        for file in folder.iterdir()
        if file.suffix.lower() in READABLE_IMAGES
        and not file.name.startswith(".")
        and (pattern is None or pattern.fullmatch(file.name))
        and file.is_file()
    ]


class ImageSource(Source):
    """Images from a folder or a pattern, at a fixed rate.

    The first image decides the size, to which others are brought with a warning, and whether all are colour (BGR, 8
    bits) or grey, with all its digits. One that cannot be read counts as damaged and is skipped.

    Parameters
    ----------
    path : Path or sequence of Path
        See `list_images`.
    selection : Selection
        Images it does not want are not read from the disk.
    rate : Fraction or None
        Frames per second; 25 by default.
    """

    repeatable = True

    def __init__(self, path: Path | Sequence[Path], selection: Selection, rate: Fraction | None = None) -> None:
        self._files = list_images(path)
        pattern = path if isinstance(path, Path) else None
        self._name = str(pattern or f"{self._files[0]} and {len(self._files) - 1} more")
        self._names, self._numbers = names_of(self._files), numbers_of(self._files, pattern)
        self._selection = selection
        self._rate = rate or DEFAULT_FPS
        self._closed = False
        self._look = self._first_look()
        self._told_size = False
        self._frames = self._read()
        count = len(self._files)
        self._selection = selection.thinned(self._rate)
        self.info = self._selection.narrowed(
            VideoInfo(
                name=_short_name(pattern or self._files[0].parent),
                width=self._look.width,
                height=self._look.height,
                fps=self._rate,
                frame_count=count,
                codec=self._files[0].suffix[1:].lower(),
                duration=float(count / self._rate),
                time_base=1 / self._rate,
                bits=self._look.bits,
                recorded=recorded_at(self._files[0].name),
            ),
            uniform=True,
        )

    def _first_look(self) -> Look:
        """Decode the first readable image, which decides how all are decoded."""
        for file in self._files:
            image = decode(file, AS_IT_IS)
            if image is not None:
                self._tell_of_others(file)
                return Look.of(image, file)
        raise SourceError(f"cannot open {self._name}: none of its {len(self._files)} images can be read; check them")

    def _tell_of_others(self, file: Path) -> None:
        if content_of(file) in SEVERAL:
            log.warning("%s holds several pictures, of which the first is taken: give it by its own name", file)

    def __iter__(self) -> Iterator[Frame]:
        return self._frames

    def _read(self) -> Iterator[Frame]:
        delivered = False
        time = 0.0
        for index, file in enumerate(self._files):
            time = float(index / self._rate)
            if self._closed or self._selection.over(time):
                return
            if not self._selection.wants(index, time):
                continue
            image = decode(file, self._look.flags)
            if image is None:
                self._skip(index, file)
                continue
            image = self._brought(file, image)
            number = None if self._numbers is None else self._numbers[index]
            yield Frame(index, time, self._selection.resize(image), name=self._names[index], number=number)
            delivered = True
        if not delivered and not self.damaged:
            raise self._selection.nothing_in(self._name, time)

    def _skip(self, index: int, file: Path) -> None:
        if not self.damaged:
            log.warning("%s: frame %d is damaged and skipped; more are only counted", file, index)
        self.damaged += 1

    def _brought(self, file: Path, image: np.ndarray) -> np.ndarray:
        """Return an image in the type and size of the first; say once that it has another size."""
        look = self._look
        if not (self._told_size or look.fits(image)):
            self._told_size = True
            log.warning(
                "%s has %dx%d pixels, the first image has %dx%d: it and all others are brought to that size",
                *(file, image.shape[1], image.shape[0], look.width, look.height),
            )
        return look.brought(image)

    def close(self) -> None:
        """End the iteration before its next image."""
        self._closed = True


def read_mask(file: Path) -> np.ndarray:
    """Return an image file as a mask, such as a region of interest: uint8, shape (H, W), inside where not 0.

    Raises
    ------
    SourceError
        When there is no such file or it is no image.
    """
    if not file.is_file():
        raise SourceError(f"cannot read the mask {file}: no such file; check the path")
    mask = decode(file, cv2.IMREAD_GRAYSCALE)
    if mask is None:
        raise SourceError(f"cannot read the mask {file}: it is no image; give a PNG, white inside and black outside")
    return mask


def _short_name(path: Path) -> str:
    """Return the folder's name, passing over CDnet's ``input``, or the stem of a single image."""
    folder = path if path.is_dir() else path.parent
    if path.is_file():
        return path.stem
    folder = folder.resolve()
    return (folder.parent.name if folder.name == "input" else folder.name) or "images"
