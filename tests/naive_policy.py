"""The slow, obvious reference of all that the adaptive model decides: one frame, one region, one pixel at a time.

Nothing of bgsub is imported here. `NaivePolicy` takes the place of `BackgroundSubtractor` for still cameras without a
region: it measures the light and the liveliness of a scene, weighs what neighbours and places tell, finds objects and
judges them, and says where changes are flicker; `NaiveAdaptive` does what happens within a pixel. Only filters of a
picture (Gaussian, Sobel) are OpenCV's.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import cv2
import numpy as np

from tests.naive_adaptive import (
    LEFT,
    OBJECT,
    Colour,
    Constants,
    NaiveAdaptive,
    Verdict,
    bounded,
    colours_of,
    constants_of,
    distances_of,
    f32,
)
from tests.naive_shadows import NaiveTones, ShadowConstants, dimming_of, shadow_constants_of, unevenness

GREY = (0.114, 0.587, 0.299)  # shares of blue, green and red in Y


class NaivePolicy:
    """The adaptive model, slowly.

    Attributes
    ----------
    counted : Counter
        How often each decision was taken, by name: a comparison shows nothing of what never came up.
    """

    def __init__(self, parameters: dict[str, Any]) -> None:
        self.p = parameters
        self.n_learned = 0
        self.counted: Counter[str] = Counter()

    def apply(
        self, frame: np.ndarray, rate: float | None = None, known: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Learn a frame, uint8 or float32; return its mask, and the smoothed evidence as bytes."""
        if self.n_learned == 0 or rate == 1:
            self.n_learned = 0
            self._begin(frame.shape)
        known = np.zeros(self.shape, bool) if known is None else known
        pixels = frame.reshape(-1, *frame.shape[2:])
        liveliness = self._liveliness()
        gain, has_colour, acuity = self._light(pixels)
        constants = constants_of(self.p, self.n_learned, rate, gain, liveliness, frame.ndim == 3, acuity=acuity)
        colours = colours_of(bounded(pixels, self.mixture.pixels, constants), constants)
        seek_shadows = self.p["detect_shadows"] and has_colour
        shadow_constants = shadow_constants_of(self.p, *self.tones.tone(), acuity) if seek_shadows else None
        if self.n_learned:
            verdicts = self._score(colours, known, constants, shadow_constants)
            evidence = np.array([math.floor(8 * v.evidence + 160.5) for v in verdicts]).reshape(self.shape)
            evidence = self._explained(colours, evidence, constants, liveliness)
            evidence[known] = 255
            shadow = np.array([verdict.shadow for verdict in verdicts]).reshape(self.shape)
            if seek_shadows and self.p["standing_gain"]:
                evidence = self._standing(evidence, shadow & ~known)
            if self.n_learned < self.p["vacated_frames"] and self.p["vacated_ratio"]:
                evidence = np.where(
                    self._vacated(frame, evidence, constants) & ~known, np.minimum(evidence, 160), evidence
                )
            smooth = smoothed(evidence.astype(np.uint8), self.p["smoothing"])
        else:
            verdicts = self.verdicts
            evidence, smooth = np.zeros((2, *self.shape), np.uint8)
            shadow = np.zeros(self.shape, bool)
        objects, left = self._objects(frame, smooth, liveliness)
        mask = np.where(mean_around(255 * shadow, 5) > 127.5, self.p["shadow_value"], 0).astype(np.uint8)
        for inside in objects:
            mask[inside] = 255
        mask[known] = 255
        self.verdicts = verdicts
        if rate != 0:
            if seek_shadows and self.n_learned:
                self.counted["within a shadow"] += self.tones.learn(shadow, known, self.dimming)
                self.counted["tone known"] += int(self.tones.tone()[1] > 0)
            near = self._near(objects, liveliness)
            self._learn(colours, evidence, known, constants, near, learned_mask(self.shape, objects, left))
            self.n_learned += 1
        return mask, smooth

    def background(self) -> np.ndarray:
        """Return the luma of the heaviest Gaussian of each pixel, 0 without one; float32, (H, W)."""
        lumas = [pixel.modes[0].luma if pixel.modes else f32(0) for pixel in self.mixture.pixels]
        return np.array(lumas, np.float32).reshape(self.shape)

    def _begin(self, shape: tuple[int, ...]) -> None:
        self.shape = shape[:2]
        self.mixture = NaiveAdaptive(shape[0] * shape[1], self.p["n_components"])
        self.verdicts = self.mixture.begin()
        self.tones = NaiveTones()
        self.trembling = np.zeros(self.shape, np.uint8)  # flicker around each pixel, 1024ths
        self.age = np.zeros(self.shape, int)  # frames for which a large object has been there
        self.learned_mask = np.zeros(self.shape, np.uint8)

    # ------------------------------------------------------------------------------------------- the whole scene

    def _flicker(self) -> np.ndarray:
        """Return the flicker of each pixel in 1024ths, whole ones."""
        levels = [min(math.floor(1024 * pixel.flicker + f32(0.5)), 255) for pixel in self.mixture.pixels]
        return np.array(levels).reshape(self.shape)

    def _liveliness(self) -> float:
        """Return 0 for a calm scene to 1 for one in motion; in the first frames nobody knows."""
        if self.n_learned <= 5:
            return 1.0
        low, high = self.p["liveliness_low"], self.p["liveliness_high"]
        share = np.mean(self._flicker() > 30)
        liveliness = float(min(max((share - low) / (high - low), 0.0), 1.0))
        self.counted[{0.0: "calm", 1.0: "lively"}.get(liveliness, "between calm and lively")] += 1
        return liveliness

    def _light(self, pixels: np.ndarray) -> tuple[float, bool, float]:
        """Return the factor that brings a frame to the background's light, whether it has colour, and the acuity.

        One pixel in sixteen is asked, the eighth, black where a frame ends before; of large frames fewer, which no test
        here has. All in float32: a gain that is rounded otherwise would move every mean that is learned.
        """
        missing = (-len(pixels) % 16,)
        sample = np.concatenate([pixels, np.zeros(missing + pixels.shape[1:])])[7::16].astype(np.float32)
        learned = np.concatenate([self.background().ravel(), np.zeros(missing, np.float32)])[7::16]
        if sample.ndim == 1:
            luma, has_colour = sample, False
        else:
            luma = sample @ np.array(GREY, np.float32)
            red, blue = 0.713 * np.abs(sample[:, 2] - luma), 0.564 * np.abs(sample[:, 0] - luma)
            has_colour = bool(((red + blue) / 2).mean() > 1.5)
        told = [x / b for x, b in zip(luma, learned, strict=True) if 8 < x < 250 and b > 8]
        if len(told) < 50:
            return 1.0, has_colour, 1.0
        ratio, gain = float(np.median(told)), 1.0
        if abs(ratio - 1) > 0.005 and 1 / 32 < ratio < 32:
            gain = 1 / ratio
            self.counted["another light"] += 1
        return gain, has_colour, self._acuity(luma, luma * gain, learned)

    def _acuity(self, seen: np.ndarray, luma: np.ndarray, learned: np.ndarray) -> float:
        """Return how much more a squared difference counts in fog, as far as noise allows it."""
        ordered, last = sorted(seen.tolist()), len(luma) - 1
        contrast = max(1 - ordered[int(0.02 * last)] / max(ordered[math.ceil(0.98 * last)], 1), 0.01)
        apart = np.median([abs(x - b) for x, b in zip(luma, learned, strict=True) if b > 0]) / 0.6745
        noise = max(self.p["noise_margin"] * apart**2, 1e-3)
        acuity = max(1.0, min((self.p["low_contrast"] / contrast) ** 4, self.p["var_min_y"] / noise, 8.0))
        self.counted["fog"] += int(acuity > 1)
        return acuity

    # -------------------------------------------------------------------------------------------- evidence in place

    def _score(
        self, colours: list[Colour], known: np.ndarray, constants: Constants, shadow: ShadowConstants | None
    ) -> list[Verdict]:
        """Return what is said of each pixel; of sixteen that are all known, what was said last."""
        told = zip(colours, self.mixture.pixels, strict=True)
        dimming = np.array([dimming_of(luma, pixel) for (luma, _), pixel in told])
        closed = [lo for lo in range(0, known.size, 16) if known.ravel()[lo : lo + 16].all()]
        for lo in closed:
            dimming[lo : lo + 16] = 0
        self.dimming = dimming.reshape(self.shape)

        def uneven(i: int) -> np.float32:
            assert shadow is not None
            found = unevenness(self.dimming, *divmod(i, self.shape[1]), shadow)
            self.counted["even" if found == 0 else "uneven"] += 1
            return found

        verdicts = self.mixture.score(colours, self.trembling.ravel(), constants, shadow, uneven)
        for lo in closed:
            verdicts[lo : lo + 16] = self.verdicts[lo : lo + 16]
        self.counted["shadow"] += sum(verdict.shadow for verdict in verdicts)
        return verdicts

    def _explained(self, colours: list[Colour], evidence: np.ndarray, c: Constants, liveliness: float) -> np.ndarray:
        """Return the evidence after each pixel of a place that flickers was compared with what is around it."""
        p, radius = self.p, self.p["neighbour_radius"]
        level = p["neighbour_still"] + liveliness * (p["neighbour_lively"] - p["neighbour_still"])
        steady_prior = constants_of({**p, "early_doubt": 0}, 0, None, 1.0, 0.0, True)
        explained = evidence.copy()
        for y, x in np.argwhere((radius > 0) & (self.trembling >= math.ceil(1024 * level))).tolist():
            asked = c.steadiness * max(f32(self.trembling[y, x]) - c.dead_zone, f32(0))
            odds = before = (f32(evidence[y, x]) - f32(160)) / f32(8) + asked
            if odds <= 0:
                continue
            for row in range(max(0, y - radius), min(self.shape[0], y + radius + 1)):
                if odds < -4:
                    break  # explained well enough
                for column in range(max(0, x - radius), min(self.shape[1], x + radius + 1)):
                    other = self._odds_of(row, column, colours[y * self.shape[1] + x], c, steady_prior)
                    odds = min(odds, other + f32(p["neighbour_doubt"]))
            self.counted["moved background"] += int(odds < before)
            explained[y, x] = math.floor(8 * max(odds - asked, f32(-20)) + f32(160.5))
        return explained

    def _odds_of(self, row: int, column: int, colour: Colour, c: Constants, prior: Constants) -> np.float32:
        """Return the least evidence of a pixel's colour against the Gaussians of another pixel."""
        pixel = self.mixture.pixels[row * self.shape[1] + column]
        least = f32(np.inf)
        for mode, d in zip(pixel.modes, distances_of(pixel, colour, c), strict=True):
            if mode.weight > prior.low_weight:
                doubt = prior.prior - (mode.weight - prior.low_weight) * prior.prior_slope
                least = min(least, f32(0.5) * d - c.offset + max(doubt, f32(0)))
        return least

    def _vacated(self, frame: np.ndarray, evidence: np.ndarray, c: Constants) -> np.ndarray:
        """Return where the ground looks like that around it, and what was learned there does not."""
        grey = (cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY) if frame.ndim == 3 else frame).astype(np.float32)
        luma, learned = (np.clip(np.rint(x), 0, 255) for x in (grey * c.gain, self.background()))
        positive = evidence > 160
        open_ground = cv2.dilate(positive.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0
        mean, deviation, enough = np.zeros(self.shape), np.zeros(self.shape), np.zeros(self.shape, bool)
        for y, x in np.ndindex(self.shape):
            around = np.s_[max(y - 9, 0) : y + 10, max(x - 9, 0) : x + 10]
            levels = luma[around][open_ground[around]]
            if len(levels):
                mean[y, x], deviation[y, x], enough[y, x] = np.rint(levels.mean()), levels.std(), len(levels) > 36.1
        left = np.zeros(self.shape, bool)
        for y, x in np.argwhere(positive & enough).tolist():
            near = np.s_[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3]
            seen, known = (np.abs(picture[near] - mean[near]).sum() for picture in (luma, learned))
            left[y, x] = known > 25 * (8 + 2 * deviation[y, x]) and seen < self.p["vacated_ratio"] * known
        self.counted["vacated"] += int(left.sum())
        return left

    def _standing(self, evidence: np.ndarray, shadow: np.ndarray) -> np.ndarray:
        """Return the evidence after each shadow heard how much foreground there is below it."""
        height = self.shape[0]
        high = max(1, round(self.p["standing_reach"] * height))
        wide = max(1, round(self.p["standing_reach"] * height / 2))
        raised = evidence.astype(float)
        for y, x in np.argwhere(shadow).tolist():
            left = x - wide // 2
            box = evidence[y : y + high, max(left, 0) : left + wide] > 160
            share = round(255 * np.count_nonzero(box) / (high * wide)) / 255
            raised[y, x] += 8 * self.p["standing_gain"] * (share - self.p["standing_share"]) + 0.5
            self.counted["stands"] += int(raised[y, x] >= 161)
        return np.clip(np.floor(raised), 0, 255).astype(int)

    # --------------------------------------------------------------------------------------------------- objects

    def _objects(
        self, frame: np.ndarray, smooth: np.ndarray, liveliness: float
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Return objects, and places that objects have left, each as a picture of what is inside."""
        n = smooth.size
        objects, left = [], []
        for inside, filled in regions_of(smooth > 160, self.p["fill_area"] * n):
            area = np.count_nonzero(inside)
            self.counted["filled"] += filled
            if area < self.p["min_area"] + liveliness * self.p["lively_area"] * n:
                self.counted["small"] += 1
                continue
            verdict = self._judge(frame, inside, area)
            self.counted[verdict] += 1
            if verdict in ("object", "known"):
                objects.append(inside)
            elif verdict == "left":
                left.append(inside)
        return objects, left

    def _judge(self, frame: np.ndarray, inside: np.ndarray, area: int) -> str:
        """Return "object", "known" (for one that is not looked at again), "light" or "left"."""
        if area < self.p["structure_area"]:
            return "object"
        rows, columns = inside.any(1).nonzero()[0], inside.any(0).nonzero()[0]
        box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        was_object = np.count_nonzero(self.learned_mask[box] == OBJECT)
        if self.n_learned % 8 != 0 and was_object > area / 2:
            return "known"
        patch = tuple(slice(max(0, part.start - 2), part.stop + 2) for part in box)
        luma = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY) if frame.ndim == 3 else frame
        seen, learned = luma[patch].astype(np.float64), self.background()[patch].astype(np.float64)
        if has_left(seen, learned, inside[patch], self.p["ghost_ratio"], self.p["ghost_edges"]):
            return "left"
        if self.p["structure"] < 1 and likeness(seen, learned, inside[patch]) >= self.p["structure"]:
            return "light"
        return "object"

    # -------------------------------------------------------------------------------------------------- learning

    def _learn(
        self,
        colours: list[Colour],
        evidence: np.ndarray,
        known: np.ndarray,
        constants: Constants,
        near: np.ndarray,
        mask: np.ndarray,
    ) -> None:
        self.pace = self._pace(evidence, mask, constants)
        self.learned_mask = mask
        self.mixture.update(
            colours,
            self.verdicts,
            evidence.ravel(),
            constants,
            mask=mask.ravel(),
            near=near.ravel(),
            flicker=self.trembling.ravel(),
            closed=known.ravel(),
            pace=self.pace,
        )
        self.trembling = np.rint(mean_around(self._flicker(), 5)).astype(np.uint8)

    def _near(self, objects: list[np.ndarray], liveliness: float) -> np.ndarray:
        """Return where changes are no flicker: up to 3 pixels from large objects of this frame and of the last one.

        What has stood for long in a scene in motion may be no object, so there changes count.
        """
        p = self.p
        lively = 0.0 if self.n_learned <= p["large_early"] else liveliness
        least = (p["large_still"] + lively * (p["large_area"] - p["large_still"])) * self.age.size
        large = np.zeros(self.shape, bool)
        for inside in objects:
            self.counted["large" if np.count_nonzero(inside) >= least else "not large"] += 1
            if np.count_nonzero(inside) >= least:
                large |= inside
        near = np.zeros(self.shape, bool)
        for y, x in np.argwhere(large | (self.age > 0)).tolist():
            near[max(0, y - 3) : y + 4, max(0, x - 3) : x + 4] = True
        self.age = np.where(large, np.minimum(self.age + 1, 255), 0)
        if liveliness > 0:
            oldest = math.ceil(p["lively_age"] / liveliness)
            old = self.age >= oldest if oldest <= 255 else np.zeros(self.shape, bool)
            self.counted["stood for long"] += int(old.any())
            near &= ~old
        return near

    def _pace(self, evidence: np.ndarray, mask: np.ndarray, constants: Constants) -> np.ndarray:
        """Return how often each pixel counts the frame: 16 in a row that rest take every 2nd, or so, and that twice.

        Blocks of 64 such rows take turns.
        """
        owners = np.array([-1 if v.owner is None or v.shadow else v.owner for v in self.verdicts])
        before = np.array([pixel.was_positive for pixel in self.mixture.pixels])
        rests = (owners >= 0) & (evidence.ravel() <= 160) & (mask.ravel() == 0) & ~before
        pace = np.ones(len(rests), int)
        for row, lo in enumerate(range(0, len(rests), 16)):
            if rests[lo : lo + 16].all():
                c, alike = constants, (owners[lo : lo + 16] == 0).all()
                times, turn = (c.together, c.turn) if alike else (c.few, c.few_turn)
                pace[lo : lo + 16] = times if row // 64 % times == turn else 0
        self.counted["rests"] += int((pace != 1).any())
        return pace


def learned_mask(shape: tuple[int, ...], objects: list[np.ndarray], left: list[np.ndarray]) -> np.ndarray:
    """Return the mask that is learned, OBJECT, LEFT or 0."""
    mask = np.zeros(shape, np.uint8)
    for inside in objects:
        mask[inside] = OBJECT
    for inside in left:
        mask[inside] = LEFT
    return mask


# ------------------------------------------------------------------------------------------------------- pictures


def smoothed(evidence: np.ndarray, sigma: float) -> np.ndarray:
    """Return the average over a Gaussian that reaches two sigmas."""
    reach = math.ceil(2 * sigma)
    return cv2.GaussianBlur(evidence, (2 * reach + 1, 2 * reach + 1), sigma) if sigma else evidence


def mean_around(picture: np.ndarray, width: int) -> np.ndarray:
    """Return the mean over squares of `width` pixels; beyond its edges the picture is mirrored."""
    padded = np.pad(picture.astype(np.float64), width // 2, mode="reflect")
    return np.lib.stride_tricks.sliding_window_view(padded, (width, width)).mean((2, 3))


def regions_of(positive: np.ndarray, fill_area: float) -> list[tuple[np.ndarray, int]]:
    """Return the sets of pixels that touch, by side or corner, and how many holes of each were filled.

    Those of fewer pixels than `fill_area` are.
    """
    regions = []
    n, labels = cv2.connectedComponents(positive.astype(np.uint8), connectivity=8)
    for label in range(1, n):
        inside = labels == label
        m, around = cv2.connectedComponents((~inside).astype(np.uint8), connectivity=4)
        edge = {*around[0], *around[-1], *around[:, 0], *around[:, -1]}
        holes = [around == hole for hole in range(1, m) if hole not in edge]
        small = [hole for hole in holes if np.count_nonzero(hole) < fill_area]
        regions.append((np.any([inside, *small], axis=0), len(small)))
    return regions


def has_left(seen: np.ndarray, learned: np.ndarray, inside: np.ndarray, ratio: float, least: float) -> bool:
    """Return whether the outline of a patch is an edge of the background, and hardly one of the picture."""
    padded = np.pad(inside, 1, mode="edge")
    squares = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))
    outline = squares.any((2, 3)) & ~squares.all((2, 3))
    if not ratio or not outline.any():
        return False
    now, before = (slope(picture)[outline].mean() for picture in (seen, learned))
    return bool(before > least and now < ratio * before)


def slope(picture: np.ndarray) -> np.ndarray:
    """Return the gradient's length, in a quarter of Sobel's units."""
    return np.hypot(*(cv2.Sobel(picture, cv2.CV_64F, x, 1 - x) / 4 for x in (0, 1)))


def likeness(seen: np.ndarray, learned: np.ndarray, inside: np.ndarray) -> float:
    """Return the correlation of two patches less their mean around; 0 where the background is plain."""
    padded = np.pad(inside, 2, constant_values=True)
    deep = np.lib.stride_tricks.sliding_window_view(padded, (5, 5)).all((2, 3))  # not on the outline
    chosen = deep if np.count_nonzero(deep) > np.count_nonzero(inside) / 3 else inside
    fine, expected = ((picture - mean_around(picture, 5))[chosen] for picture in (seen, learned))
    if np.sqrt(np.mean(expected**2)) < 1.5:
        return 0.0
    return float((fine * expected).sum() / np.sqrt((fine**2).sum() * (expected**2).sum() + 1e-6))
