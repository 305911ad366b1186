"""CDnet's protocol: what is counted in a frame, the seven metrics, and how they are averaged.

References
----------
N. Goyette, P.-M. Jodoin, F. Porikli, J. Konrad, P. Ishwar, "changedetection.net: A new change detection benchmark
dataset", CVPR Workshops 2012.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from typing import NamedTuple, Self

import cv2
import numpy as np

from bgsub.errors import ParameterError
from bgsub.masks import FOREGROUND

STATIC, SHADOW, OUTSIDE, UNKNOWN, MOVING = 0, 50, 85, 170, 255
"""Labels of a ground truth: background, hard shadow, outside the region of interest, unknown, foreground."""

# A label in bits 1 to 3; bit 0 is left for the mask. Bits 1 and 2 together: the pixel does not count.
_STATIC, _SHADOW, _MOVING, _IGNORED, _NO_LABEL = 0, 2, 4, 6, 8
_CODES = np.full(256, _NO_LABEL, np.uint8)
_CODES[[STATIC, SHADOW, MOVING, OUTSIDE, UNKNOWN]] = [_STATIC, _SHADOW, _MOVING, _IGNORED, _IGNORED]


class Counts(NamedTuple):
    """Pixels of a frame, or of many, by what they are and what they were taken for.

    Attributes
    ----------
    tp, fp, fn, tn : int
        True and false positives, false and true negatives. Positive is foreground.
    fp_shadow : int
        Those of the false positives that lie in a hard shadow.
    shadow : int
        Pixels of hard shadow, all of which are negatives.
    """

    tp: int
    fp: int
    fn: int
    tn: int
    fp_shadow: int
    shadow: int

    @classmethod
    def total(cls, counts: Iterable[Counts]) -> Self:
        """Return the sum of counts; of none it is all zeros."""
        return cls(*(sum(column) for column in zip((0,) * 6, *counts, strict=True)))


@dataclass(frozen=True, slots=True)
class Metrics:
    """CDnet's seven metrics; nan where one is undefined.

    Attributes
    ----------
    recall, specificity, precision, f_measure : float
        0 to 1, 1 is best.
    fpr, fnr : float
        False positive and false negative rate, 0 to 1, 0 is best.
    pwc : float
        Percentage of wrong classifications, 0 to 100, 0 is best.
    """

    recall: float
    specificity: float
    fpr: float
    fnr: float
    pwc: float
    precision: float
    f_measure: float

    @classmethod
    def of(cls, counts: Counts) -> Self:
        """Compute the metrics of counts.

        Notes
        -----
        The protocol's formulas divide by 0 in a video without objects, or where nothing was marked. Here

        - recall and FNR are undefined where there was nothing to be found, specificity and FPR where there was no
          background, and all where nothing counts;
        - precision is 0 where nothing was marked though there were objects, so that a method cannot leave a mean
          by giving up, and undefined where nothing was marked and nothing should have been;
        - F is ``2 TP / (2 TP + FP + FN)``, which equals ``2 P R / (P + R)`` wherever that is defined: 0 where all that
          was marked is wrong, undefined where there is neither an object nor a mark.
        """
        tp, fp, fn, tn = counts[:4]
        precision = _ratio(tp, tp + fp)
        return cls(
            recall=_ratio(tp, tp + fn),
            specificity=_ratio(tn, tn + fp),
            fpr=_ratio(fp, fp + tn),
            fnr=_ratio(fn, tp + fn),
            pwc=100 * _ratio(fp + fn, tp + fp + fn + tn),
            precision=0.0 if math.isnan(precision) and fn else precision,
            f_measure=_ratio(2 * tp, 2 * tp + fp + fn),
        )

    @classmethod
    def mean(cls, metrics: Sequence[Metrics]) -> Self:
        """Return the mean of each metric over those in which it is defined; nan where it is in none."""
        columns = zip(*map(astuple, metrics), strict=True) if metrics else [()] * len(METRIC_NAMES)
        defined = [[value for value in column if not math.isnan(value)] for column in columns]
        return cls(*(sum(values) / len(values) if values else math.nan for values in defined))


METRIC_NAMES = tuple(field.name for field in fields(Metrics))


def outside_of(region: np.ndarray | None) -> np.ndarray | None:
    """Return what `count` takes as `outside`, from a region of interest: not 0 where pixels count, None for all."""
    return None if region is None else np.where(region != 0, 0, _IGNORED).astype(np.uint8)


def count(mask: np.ndarray, truth: np.ndarray, outside: np.ndarray | None = None) -> Counts:
    """Count the pixels of one frame.

    Parameters
    ----------
    mask : ndarray of uint8, shape (H, W)
        255 foreground; every other value is background.
    truth : ndarray of uint8, shape (H, W)
        Labels: 0 static, 50 hard shadow, 85 outside the region, 170 unknown, 255 moving. Pixels of 85 and 170 do not
        count.
    outside : ndarray of uint8, shape (H, W), optional
        From `outside_of`: more pixels that do not count.

    Returns
    -------
    Counts

    Raises
    ------
    ParameterError
        When a label does not exist, or shapes or types differ from the above.
    """
    if not mask.shape == truth.shape == (truth.shape if outside is None else outside.shape) or mask.ndim != 2:
        raise ParameterError(f"the mask is {_size(mask)}, the ground truth {_size(truth)}: give both in one size")
    if mask.dtype != np.uint8 or truth.dtype != np.uint8:
        raise ParameterError(f"the mask is {mask.dtype}, the ground truth {truth.dtype}: give uint8")
    code: np.ndarray = cv2.LUT(truth, _CODES)
    if outside is not None:
        code |= outside
    code |= (mask == FOREGROUND).view(np.uint8)
    found = np.bincount(code.ravel(), minlength=16).tolist()
    if any(found[_NO_LABEL:]):
        wrong = int(truth[_CODES[truth] == _NO_LABEL][0])
        raise ParameterError(f"there is no label {wrong}: labels are 0, 50 (shadow), 85, 170 (do not count) and 255")
    return Counts(
        tp=found[_MOVING + 1],
        fp=found[_STATIC + 1] + found[_SHADOW + 1],
        fn=found[_MOVING],
        tn=found[_STATIC] + found[_SHADOW],
        fp_shadow=found[_SHADOW + 1],
        shadow=found[_SHADOW] + found[_SHADOW + 1],
    )


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


def _size(image: np.ndarray) -> str:
    return "x".join(map(str, image.shape[1::-1])) if image.ndim == 2 else f"of shape {image.shape}"


KINDS = ("found", "missed", "false alarm", "false alarm in a shadow", "background", "does not count")
"""What a pixel of a mask can be, beside its ground truth."""

_FOUND, _MISSED, _FALSE, _FALSE_IN_SHADOW, _BACKGROUND, _DOES_NOT_COUNT = range(len(KINDS))
_KINDS = np.full((2, 256), [[_BACKGROUND], [_FALSE]], np.uint8)  # by mask and label
_KINDS[:, MOVING] = _MISSED, _FOUND
_KINDS[1, SHADOW] = _FALSE_IN_SHADOW
_KINDS[:, [OUTSIDE, UNKNOWN]] = _DOES_NOT_COUNT


def kinds_of_pixels(truth: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Tell what is right or wrong about every pixel of a mask.

    Parameters
    ----------
    truth : ndarray of uint8, shape (H, W)
        Labels: `STATIC`, `SHADOW`, `OUTSIDE`, `UNKNOWN`, `MOVING`.
    mask : ndarray of bool, shape (H, W)
        What was taken for foreground.

    Returns
    -------
    ndarray of uint8, shape (H, W)
        Places in `KINDS`.
    """
    return _KINDS[mask.astype(np.intp), truth]
