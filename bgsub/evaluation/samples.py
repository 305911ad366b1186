"""The few frames of a sequence that a report shows: the worst, the median one, and some through its length."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bgsub.evaluation.protocol import OUTSIDE, kinds_of_pixels
from bgsub.evaluation.scoring import SequenceScore
from bgsub.evaluation.sequences import LabelledFrame, LabelledSequence
from bgsub.masks import FOREGROUND
from bgsub.video.writers.tones import Tones

_BEGINNING = 0.1  # of a sequence, in which no model can know the background yet
_WORTH_SHOWING = 0.1  # share of the mean area of objects that a frame needs for its F to mean something


@dataclass(frozen=True)
class Sample:
    """One frame with what every method made of it.

    Attributes
    ----------
    number : int
        Of the frame.
    remark : str
        Why it was chosen: "worst", "median" or "".
    image : ndarray of uint8, shape (H, W, 3) or (H, W)
        The frame, BGR or grey, as it is shown: with 8 bits.
    truth : ndarray of uint8, shape (H, W)
        Labels; 85 wherever pixels do not count.
    masks : list of ndarray of bool, shape (H, W)
        Foreground, one for each method.
    """

    number: int
    remark: str
    image: np.ndarray
    truth: np.ndarray
    masks: list[np.ndarray]

    def errors(self, method: int) -> np.ndarray:
        """Return what is right or wrong about each pixel of a method's mask: see `kinds_of_pixels`."""
        return kinds_of_pixels(self.truth, self.masks[method])


class MaskStore:
    """Keeps the masks of a sequence in memory, about a hundredth of their size."""

    def __init__(self) -> None:
        self._packed: dict[int, bytes] = {}

    def __call__(self, frame: LabelledFrame, mask: np.ndarray) -> None:
        """Keep the mask if the frame counts."""
        if frame.truth is not None:
            self._packed[frame.number] = zlib.compress(np.packbits(mask == FOREGROUND).tobytes(), 1)

    def mask(self, number: int, shape: tuple[int, ...]) -> np.ndarray:
        """Return a mask that was kept, as bool of a shape."""
        bits = np.frombuffer(zlib.decompress(self._packed[number]), np.uint8)
        return np.unpackbits(bits, count=int(np.prod(shape))).reshape(shape).view(bool)


def choose_frames(score: SequenceScore, n: int) -> dict[int, str]:
    """Return numbers of at most `n` frames that count, in order, each with a remark.

    Parameters
    ----------
    score : SequenceScore
        Decides which frame is worst and which has the median F. Frames where the truth has no object, or hardly any,
        are left out, unless there is no other. Neither is of the first tenth of the sequence, if there are others.
    n : int
        At least 2; those that are neither worst nor median lie as far apart as they can.
    """
    objects = np.array([counts.tp + counts.fn for counts in score.counts], float)
    f_measures = score.f_measures
    asked = np.flatnonzero((objects > 0) & (objects >= _WORTH_SHOWING * objects.mean()))
    chosen: dict[int, str] = {}
    if asked.size:
        known = asked[np.array(score.numbers)[asked] > _BEGINNING * score.n_frames]
        judged = known if known.size else asked
        order = judged[np.argsort(f_measures[judged], kind="stable")]
        chosen[int(order[order.size // 2])] = "median"
        chosen[int(order[0])] = "worst"
    choice = asked if asked.size else np.arange(len(objects))
    while len(chosen) < min(n, choice.size):  # the frame that is furthest from those that are shown already
        distances = np.abs(choice[:, None] - np.array([*chosen] or [-1])).min(axis=1)
        chosen[int(choice[np.argmax(distances)])] = ""
    return {score.numbers[i]: chosen[i] for i in sorted(chosen)}


def take_samples(sequence: LabelledSequence, chosen: dict[int, str], stores: Sequence[MaskStore]) -> list[Sample]:
    """Read chosen frames once more, and put the methods' masks beside them."""
    samples: list[Sample] = []
    tones = Tones()
    region = sequence.region()
    for frame in sequence:
        if len(samples) == len(chosen):
            break
        if frame.number in chosen and frame.truth is not None:
            truth = frame.truth if region is None else np.where(region, frame.truth, np.uint8(OUTSIDE))
            masks = [store.mask(frame.number, truth.shape) for store in stores]
            samples.append(Sample(frame.number, chosen[frame.number], tones(frame.image), truth, masks))
    return samples
