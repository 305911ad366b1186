"""Single pictures out: a folder of numbered PNG files, and the background image at the end of a run."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from bgsub.errors import OutputError
from bgsub.files import atomic_write
from bgsub.formats import WRITABLE_IMAGES
from bgsub.outputs import PathLike, check_output
from bgsub.video.frame import Frame
from bgsub.video.sink import Sink
from bgsub.video.writers.tones import Tones

logger = logging.getLogger(__name__)

# Run lengths suit masks and cut-outs: a third of the time of OpenCV's defaults, and smaller files.
_MASK_PNG = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
_PICTURE_PNG = list(_MASK_PNG)
if hasattr(cv2, "IMWRITE_PNG_FILTER"):  # from OpenCV 4.12 on
    _MASK_PNG += [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_NONE]
    _PICTURE_PNG += [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_SUB]


class ImageFolder(Sink):
    """Writes a PNG file a frame into a folder; each appears whole or not at all.

    Of a source that is images a file has the number of its image, ``PREFIX000050.png`` of ``in000050.jpg``, or the
    image's own name where no number is clear. Other frames count from ``PREFIX000001.png``.

    Parameters
    ----------
    path : Path
        The folder, checked by `check_output`; made with the first frame if need be, or cleared of an earlier
        run's numbered files of the same prefix.
    draw : callable
        Makes the image, grey, BGR or BGRA uint8, of a frame and its mask.
    prefix : str
        What the file names begin with.
    """

    def __init__(
        self,
        path: Path,
        draw: Callable[[Frame, np.ndarray], np.ndarray],
        prefix: str,
    ) -> None:
        self.path = path
        self.prefix = prefix
        self._draw = draw
        self._begun = False
        self._others: set[str] = set()  # PNG files of before

    def write(self, frame: Frame, mask: np.ndarray) -> None:
        """Write one file."""
        image, name = self._draw(frame, mask), self._name(frame)
        if not self._begun:
            self._begin()
        write_image(self.path / name, image, _MASK_PNG if image.ndim == 2 else _PICTURE_PNG)
        self.wrote = True
        self._others.discard(name)

    def close(self) -> None:
        """Say what else lies in the folder; every file was finished when it was written."""
        if self._others:
            logger.warning(
                "%s also holds %d other PNG files, such as %s", self.path, len(self._others), min(self._others)
            )
            self._others = set()

    def _name(self, frame: Frame) -> str:
        """Return what the file of a frame is called."""
        if frame.number is None and frame.name is not None:
            return f"{Path(frame.name).name}.png"  # a name, not a path: it comes from outside
        return f"{self.prefix}{frame.index + 1 if frame.number is None else frame.number:06d}.png"

    def _begin(self) -> None:
        """Make the folder, or clear it of an earlier run's files."""
        self._begun = True
        try:
            self.path.mkdir(exist_ok=True)
            for file in self.path.iterdir():
                if re.fullmatch(rf"{re.escape(self.prefix)}\d{{6,}}\.png", file.name):
                    file.unlink()
                elif file.suffix.lower() == ".png":
                    self._others.add(file.name)
        except OSError as error:
            raise OutputError(
                f"cannot write to folder {self.path}: {error.strerror}; choose a folder you can write to"
            ) from error


class BackgroundImage(Sink):
    """Writes the model's background when the run is over, also when Ctrl-C ended it.

    Parameters
    ----------
    path : path-like
        PNG, JPEG, BMP, TIFF or WebP, by extension. Appears whole or not at all.
    background : callable
        Returns the background image, grey or BGR, of any depth; of more than 8 bits the range in use is shown, but in
        TIFF what has 16 keeps them.
    overwrite : bool
        Let an existing file be replaced.
    source : path-like, optional
        What is read.

    Notes
    -----
    Nothing is written after no frames, or where an error ends the ``with`` block.
    """

    def __init__(
        self,
        path: PathLike,
        background: Callable[[], np.ndarray],
        *,
        overwrite: bool = False,
        source: PathLike | None = None,
    ) -> None:
        self.path = check_output(path, overwrite=overwrite, source=source, suffixes=WRITABLE_IMAGES)
        self.lossy = self.path.suffix.lower() in {".jpg", ".jpeg"}
        self._background = background
        self._pending = False
        self._closed = False

    def write(self, frame: Frame, mask: np.ndarray) -> None:
        """Note that there is a background."""
        self._pending = not self._closed

    def close(self) -> None:
        """Write the image."""
        self._closed = True
        if self._pending:
            self._pending = False
            image = self._background()
            keeps_digits = self.path.suffix.lower() in {".tif", ".tiff"} and image.dtype == np.uint16
            write_image(self.path, image if keeps_digits else Tones()(image), [])
            self.wrote = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None and issubclass(kind, Exception):
            self._pending = False
        self.close()


def write_image(path: Path, image: np.ndarray, options: list[int]) -> None:
    """Encode an image by its path's extension, and write it whole or not at all.

    Raises
    ------
    OutputError
        When it cannot be encoded or written.
    """
    encoded, data = cv2.imencode(path.suffix.lower(), image, options)
    if not encoded:
        raise OutputError(f"cannot write {path}: OpenCV cannot encode it; choose .png")
    with atomic_write(path) as file:
        file.write(data.tobytes())
