"""All pictures of one image file as a video: the pages of a TIFF, the pictures of an animated WebP."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from bgsub.errors import SourceError
from bgsub.stores.store_paths import StorePath
from bgsub.video.frame import MAX_PIXELS, Frame, VideoInfo, too_large
from bgsub.video.readers.contents import Page, tiff_pages
from bgsub.video.readers.stills import AS_IT_IS, Look, quiet
from bgsub.video.selection import Selection
from bgsub.video.source import Source

log = logging.getLogger(__name__)

DEFAULT_FPS = Fraction(25)
_AT_ONCE = 64 << 20  # bytes of pages that are decoded together


class Stack(Protocol):
    """The pictures of one file.

    Attributes
    ----------
    look : Look
        How they are delivered.
    durations : list of Fraction, or None
        Seconds that each is shown for; None where the file does not say.
    count : int
        How many there are.
    """

    look: Look
    durations: list[Fraction] | None
    count: int

    def images(self, first: int) -> Iterator[np.ndarray | None]:
        """Yield the pictures from a number on; None for one that is damaged."""


_MOST_FETCHED = 1 << 30  # bytes of a stack that are fetched from a store into memory


class TiffStack:
    """The pages of a TIFF; smaller copies and masks of others are left out.

    Parameters
    ----------
    path : Path
        The file.
    """

    durations: list[Fraction] | None = None

    def __init__(self, path: Path) -> None:
        self._name = str(path)
        # OpenCV crashes at a name that is no valid text: then it gets the bytes.
        self._data: np.ndarray | None = None if _is_text(self._name) else np.memmap(path, np.uint8, "r")
        if isinstance(path, StorePath):
            self._data = _fetched(path)
        with path.open("rb") as file:
            self._pages = tiff_pages(file)
        self.count = len(self._pages)
        for page in self._pages[:1]:
            if page.width * page.height > MAX_PIXELS:
                raise SourceError(too_large(self._name, page.width, page.height))
        decoded = (image for page in self._pages for image in self._decoded([page], AS_IT_IS))
        first = next((image for image in decoded if image is not None), None)
        if first is None:
            raise SourceError(f"cannot open {path}: none of its {self.count} pages can be read; check the file")
        self.look = Look.of(first, path)

    def images(self, first: int) -> Iterator[np.ndarray | None]:
        """Yield the pages from a number on; None for one that is damaged."""
        most = max(1, _AT_ONCE // (8 * self.look.width * self.look.height))
        for start in range(first, self.count, most):
            yield from self._decoded(self._pages[start : start + most], self.look.flags)

    def _decoded(self, pages: list[Page], flags: int) -> Iterator[np.ndarray | None]:
        """Yield pages; those that follow each other in the file are decoded together."""
        run = pages[-1].number - pages[0].number + 1 == len(pages)
        small = all(page.width * page.height <= MAX_PIXELS for page in pages)
        images = self._read(pages[0].number, len(pages), flags) if run and small else []
        if len(images) == len(pages):
            yield from images
        elif len(pages) == 1:
            yield None
        else:
            for page in pages:
                yield from self._decoded([page], flags)

    def _read(self, first: int, count: int, flags: int) -> list[np.ndarray]:
        try:
            with quiet():
                if self._data is not None:
                    return list(cv2.imdecodemulti(self._data, flags, range=(first, first + count))[1])
                return list(cv2.imreadmulti(self._name, first, count, flags=flags)[1])
        except cv2.error:
            return []


def _fetched(path: StorePath) -> np.ndarray:
    """Return the bytes of a file on a store: OpenCV knows no other way to them."""
    size = path.stat().st_size
    if size > _MOST_FETCHED:
        raise SourceError(f"cannot open {path}: stacks of {size >> 20} MiB are read from a disk only; copy it there")
    return np.frombuffer(path.read_bytes(), np.uint8)


def _is_text(name: str) -> bool:
    """Say whether a name has no bytes in it that stand for nothing."""
    try:
        name.encode()
    except UnicodeError:
        return False
    return True


class PagesSource(Source):
    """The pictures of one file, with the times that it gives them or at a fixed rate.

    Parameters
    ----------
    path : Path
        The file.
    stack : Stack
        Its pictures.
    selection : Selection
        Which are delivered.
    rate : Fraction or None
        Frames per second that replace the file's times; 25 where it has none.
    """

    repeatable = True

    def __init__(self, path: Path, stack: Stack, selection: Selection, rate: Fraction | None = None) -> None:
        self._path, self._stack, self._selection = path, stack, selection
        given = stack.durations
        if rate or given is None:
            given = [1 / (rate or DEFAULT_FPS)] * stack.count
        # The time of each picture, and of the end.
        self._times = [float(time) for time in itertools.accumulate(given, initial=Fraction(0))]
        self._closed = False
        self._frames = self._read()
        even = len(set(given)) == 1
        length = sum(given, Fraction(0))
        self._selection = selection.thinned(stack.count / length)
        self.info = self._selection.narrowed(
            VideoInfo(
                name=path.stem,
                width=stack.look.width,
                height=stack.look.height,
                fps=stack.count / length,
                frame_count=stack.count,
                codec="tiff" if isinstance(stack, TiffStack) else "webp",
                duration=float(length),
                time_base=given[0] if even else Fraction(1, 1000),
                bits=stack.look.bits,
            ),
            uniform=even,
        )

    def __iter__(self) -> Iterator[Frame]:
        return self._frames

    def _read(self) -> Iterator[Frame]:
        delivered, told = False, False
        times = self._times[:-1]
        first = next((i for i, time in enumerate(times) if self._selection.wants(i, time)), len(times))
        for index, image in enumerate(self._stack.images(first), first):
            time = times[index]
            if self._closed or self._selection.over(time):
                return
            if image is None:
                self._skip(index)
            elif self._selection.wants(index, time):
                if not (told or self._stack.look.fits(image)):
                    told = True
                    self._tell_size(index, image)
                yield Frame(index, time, self._selection.resize(self._stack.look.brought(image)))
                delivered = True
        if not delivered and not self.damaged:
            raise self._selection.nothing_in(str(self._path), times[-1])

    def _skip(self, index: int) -> None:
        if not self.damaged:
            log.warning("%s: picture %d is damaged and skipped; more are only counted", self._path, index)
        self.damaged += 1

    def _tell_size(self, index: int, image: np.ndarray) -> None:
        first = f"{self._stack.look.width}x{self._stack.look.height}"
        log.warning(
            "%s: picture %d has %dx%d pixels, the first has %s: it and all others are brought to %s",
            *(self._path, index, image.shape[1], image.shape[0], first, first),
        )

    def close(self) -> None:
        """End the iteration before its next picture."""
        self._closed = True
