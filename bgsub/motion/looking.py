"""From a frame to what it shows: the picture that is looked at, its model, its region and its blobs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from bgsub.background.model import BackgroundModel
from bgsub.background.region import region_mask
from bgsub.errors import ParameterError
from bgsub.jobs.execution import make_model
from bgsub.jobs.job import ModelChoice
from bgsub.motion.blobs import Blob, find_blobs, least_area
from bgsub.motion.job import ScanJob
from bgsub.motion.observing import Observation
from bgsub.motion.sifting import Sieve
from bgsub.motion.zones import PlacedZones
from bgsub.pipeline import tell_frame_rate
from bgsub.stores.addresses import is_stored
from bgsub.stores.store_paths import as_path
from bgsub.threads import available_processors, threads_beside_io
from bgsub.video.frame import Frame, VideoInfo
from bgsub.video.opening import open_source
from bgsub.video.source import Source

WIDTH, FAST_WIDTH = 640, 320
"""Pixels of the widest picture that is looked at, unless told otherwise: of `ScanJob.fast` the second."""

_MEASURED = 8  # every so many frames of motion the probabilities are asked for, which take a tenth of the model's time


def open_small(job: ScanJob) -> Source:
    """Open what a job scans, in the size that it looks at."""
    if job.excerpt.scale is not None:
        raise ParameterError(f"scale={job.excerpt.scale} does not fit a scan: give shrink=2, 4 or 8")
    shrink = job.shrink or (FAST_WIDTH if job.fast else WIDTH)
    sources, enough = list(job.sources), 0.0 if job.excerpt.every > 1 else job.looks or 0.0
    wanted = {**vars(job.excerpt), "luma": True, "shrink": shrink, "enough": enough}
    # What comes at the world's pace must be taken at once.
    if not job.read_ahead and all(is_stored(name) or as_path(name).exists() for name in sources):
        wanted |= {"threads": 1, "prefetch": 0}
    return open_source(sources if len(sources) > 1 else sources[0], **wanted)


class Look:
    """Looks at one frame after another; it holds the model.

    Parameters
    ----------
    job : ScanJob
        Its model, zones and least area.
    info : VideoInfo
        Of the source, opened by `open_small`.

    Attributes
    ----------
    size : (int, int)
        Width and height of the source's pictures, in pixels.
    factor : int
        Pixels of the source along the side of one that is looked at.
    n_pixels : float
        Pixels of the source that are looked at: of the region, without the zones that are left out.
    mask : ndarray of uint8, shape (h, w)
        Of the last frame: 255 is what moves.

    Raises
    ------
    ParameterError, SourceError, ModelFileError
        When the model, its region or a zone does not fit.
    """

    def __init__(self, job: ScanJob, info: VideoInfo) -> None:
        self.size = info.source_size or (info.width, info.height)
        self.factor = max(1, self.size[0] // info.width)
        small = (info.height, info.width)
        choice = job.model
        if job.fast and choice.method is None and choice.load is None:
            choice = replace(choice, method="mog2")
        region = _region_of(choice, self.size)
        self._model = make_model(choice, info, None if region is None else _small(region, self.factor))
        if self._model.shape is not None and self._model.shape[:2] != small:
            height, width = self._model.shape[:2]
            raise ParameterError(
                f"{choice.load} has learned frames of {width}x{height}, this scan looks at {info.width}x{info.height}: "
                "give another shrink, or another model"
            )
        if choice.load is not None and self._model.region is not None:
            region = np.kron(region_mask(self._model.region, small), np.ones((self.factor,) * 2, np.uint8))
            region = cv2.copyMakeBorder(
                region, 0, self.size[1] - region.shape[0], 0, self.size[0] - region.shape[1], cv2.BORDER_CONSTANT
            )
        tell_frame_rate(self._model, info)
        if hasattr(self._model, "restart_clock"):
            self._model.restart_clock()  # a saved one has seen another source, whose times were others
        if choice.threads is None:
            self._model.threads = threads_beside_io(info.width * info.height, available_processors())
        self._zones = PlacedZones(job.zones, self.size, self.factor, region)
        self.n_pixels = self._zones.n_pixels
        self.mask = np.zeros(small, np.uint8)
        self._sieve = Sieve(float(2**info.bits - 1), self.n_pixels)
        self._min_area = least_area(self.size) if job.min_area is None else job.min_area
        self._latest = -math.inf
        # Of models that have them.
        self._probability = np.zeros(small, np.float32) if "smoothing" in self._model.parameters else None
        self._until_measured, self._evidence = 1, 1.0

    def __call__(self, frame: Frame) -> tuple[Observation, tuple[Blob, ...]]:
        """Return what a frame shows, and what tracks are made of; the model learns it."""
        wanted: dict[str, Any] = {}
        if self._latest < frame.time < math.inf:  # a clock that stands still shall not end the scan
            wanted["time"] = self._latest = frame.time
        measured = self._until_measured <= 0 and self._probability is not None
        if measured:
            wanted["probability"] = self._probability
        self.mask = self._zones.clear_ignored(self._model.apply(frame.image, **wanted))
        probability = self._probability if measured else None
        blobs = find_blobs(self.mask, probability, min_area=self._min_area, factor=self.factor, evidence=self._evidence)
        if measured and blobs:
            self._evidence = sum(blob.evidence * blob.area for blob in blobs) / sum(blob.area for blob in blobs)
        # Soon after something began to move, and then now and then.
        self._until_measured = (_MEASURED if measured else self._until_measured - 1) if blobs else 1
        found = self._sieve.update(frame.index, frame.time, blobs, frame.image, self.factor)
        touched = self._zones.touched(self.mask, found.blobs)
        return found.observation(frame.index, frame.time, self.n_pixels, touched), found.objects

    @property
    def threads(self) -> int | None:
        """Threads of the model."""
        return self._model.threads

    def windows(self, blobs: Sequence[Blob]) -> list[tuple[slice, slice]]:
        """Return rows and columns of the mask around blobs."""
        boxes = [[value // self.factor for value in blob.box] for blob in blobs]
        return [(slice(y, y + height), slice(x, x + width)) for x, y, width, height in boxes]

    def forget(self) -> None:
        """Let the model learn anew, from the next frame on."""
        self._model.reset()

    def learned(self) -> BackgroundModel:
        """Return a copy of the model, which another thread may save."""
        return self._model.copy()

    def background(self) -> np.ndarray | None:
        """Return the learned background for pictures, uint8; None before the first frame."""
        if self._model.shape is None:
            return None
        image = self._model.background_image()
        if image.dtype == np.uint8:
            return image
        low, high = self._model.value_range or (float(image.min()), float(image.max()))
        return np.clip((image.astype(np.float32) - low) * (255 / max(high - low, 1e-9)), 0, 255).astype(np.uint8)


def _region_of(choice: ModelChoice, size: tuple[int, int]) -> np.ndarray | None:
    """Return the region that is asked for as a mask of the source's size."""
    region: Any = choice.region
    if isinstance(region, str):
        from bgsub.video.readers.images import read_mask

        region = read_mask(as_path(region))
    return None if region is None else region_mask(region, size[::-1])


def _small(region: np.ndarray, factor: int) -> np.ndarray:
    """Return a region in the size that is looked at; a pixel is inside if half of it is, of tiny ones all touched."""
    height, width = (n // factor for n in region.shape)
    whole = region[: height * factor, : width * factor]
    small = cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)
    half = small >= 128
    if not half.any() and not (half := small > 0).any():
        raise ParameterError("region lies in the last rows or columns, which are not looked at: give shrink=1")
    return np.where(half, np.uint8(255), np.uint8(0))
