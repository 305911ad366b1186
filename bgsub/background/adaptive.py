"""`BackgroundSubtractor`: the accurate model, which finds out by itself what a scene is like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

from bgsub.background.adaptive_kernel import FLICKER_STEPS, MEAN_Y, SHADOW, ZERO_BYTE, Step, score_tiles, update_tiles
from bgsub.background.adaptive_state import AdaptiveState, Layout, area_of, layout
from bgsub.background.light import CHROMA, LUMA, Light, measure_light
from bgsub.background.model import BackgroundModel
from bgsub.background.neighbourhood import Neighbourhood, explain_by_neighbours
from bgsub.background.objects import Found, find_objects, mask_of, probability_of, smoothed
from bgsub.background.parameters import ADAPTIVE_PARAMETERS, check_adaptive
from bgsub.background.structure import correlation

_FLICKERING = 30  # bytes of flicker, 0.03, that make a pixel count as flickering
_ABSORBED = 0.186  # weight at which a Gaussian that is well matched counts as background
_UNSURE = 5  # frames in which any scene is taken to be in motion
_UNPROTECTED = 3  # frames after which foreground learns slowly
_NEAR = np.ones((7, 7), np.uint8)


class BackgroundSubtractor(BackgroundModel):
    """docstring"""

    _KIND = "adaptive"
    _VERSION = 1
    _TABLE = ADAPTIVE_PARAMETERS

    def apply(
        self,
        image: np.ndarray,
        *,
        learning_rate: float | None = None,
        known_foreground: np.ndarray | None = None,
        out: np.ndarray | None = None,
        probability: np.ndarray | None = None,
    ) -> np.ndarray:
        """Doc."""
        return self._apply(image, learning_rate, known_foreground, out, probability)

    def background_image(self) -> np.ndarray:
        """Return the learned background: for each pixel the mean of its heaviest Gaussian.

        Returns
        -------
        ndarray of uint8, shape (H, W) or (H, W, 3)
            0 where nothing has been learned (outside the region).

        Raises
        ------
        ParameterError
            Before the first frame.
        """
        shape = self._learned_shape()
        image = np.zeros(shape, np.uint8)
        image[self._state.area] = self._state.background()
        return image

    # ------------------------------------------------------------------------------------------- hooks of the base

    def _check_parameters(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return check_adaptive(values)

    def _layout(self, shape: tuple[int, ...]) -> Layout:
        rows, columns = area_of(self.region, shape)
        size = (rows.stop - rows.start, columns.stop - columns.start)
        return layout((*size, *shape[2:]), self.parameters["n_components"])

    def _make_state(self, shape: tuple[int, ...]) -> AdaptiveState:
        return AdaptiveState(shape, self.parameters["n_components"], self.region)

    def _mask(
        self,
        pixels: np.ndarray,
        mask: np.ndarray,
        rate: float | None,
        known_foreground: np.ndarray | None,
        probability: np.ndarray | None,
    ) -> None:
        state = self._state
        assert state is not None
        image = state.pixels(pixels)
        state.close(known_foreground)
        liveliness = self._liveliness(state)
        light = measure_light(image, state.state.modes)
        step = self._step(rate, light, liveliness)
        if self.n_frames:
            shadows = self.parameters["detect_shadows"] and light.has_colour
            self._score(state, image, step, liveliness, shadows)
            evidence = smoothed(self._evidence(state, known_foreground), self.parameters["smoothing"])
        else:  # there is nothing yet from which a pixel could differ
            evidence = np.zeros(state.size, np.uint8)
        objects = self._objects(state, image, evidence, liveliness)
        found = mask_of(objects, state.size)
        large = mask_of([one for one in objects if one.area >= self._large_area(state, liveliness)], state.size)
        if rate != 0:
            self._learn(state, image, step, found, large)
        self._write(state, found, evidence, known_foreground, mask, probability)

    # ------------------------------------------------------------------------------------------- stages of a frame

    def _liveliness(self, state: AdaptiveState) -> float:
        """Return how far the whole scene is in motion, 0 calm to 1: by the share of pixels that flicker."""
        p = self.parameters
        if self.n_frames <= _UNSURE:
            return 1.0
        share = state.flickering(_FLICKERING)
        return float(np.clip((share - p["liveliness_low"]) / (p["liveliness_high"] - p["liveliness_low"]), 0, 1))

    def _score(self, state: AdaptiveState, image: np.ndarray, step: Step, liveliness: float, shadows: bool) -> None:
        """Write the evidence of every pixel."""
        state.share(lambda lo, hi: score_tiles(image, state.state, state.planes, lo, hi, step, shadows), self.threads)
        near = self._neighbourhood(liveliness)
        if not near.radius or not state.planes.smooth_flicker.max() >= near.flicker:
            return
        weights, modes, n_modes = state.state.weights, state.state.modes, state.state.n_modes
        state.share(
            lambda lo, hi: explain_by_neighbours(
                image, weights, modes, n_modes, state.planes, state.size, lo, hi, step, near
            ),
            self.threads,
            pixels=True,
        )

    def _evidence(self, state: AdaptiveState, known_foreground: np.ndarray | None) -> np.ndarray:
        """Return the evidence as a picture: certain where objects are known, none outside the region."""
        evidence = state.view(state.planes.evidence)
        if self.region is not None:
            evidence[state.outside] = ZERO_BYTE
        if known_foreground is not None:
            evidence[known_foreground[state.area] != 0] = 255
        return evidence

    def _objects(
        self, state: AdaptiveState, image: np.ndarray, evidence: np.ndarray, liveliness: float
    ) -> list[Found]:
        """Return what is large enough and no mere change of light."""
        p, n = self.parameters, state.n_pixels
        found = find_objects(evidence, p["min_area"] + liveliness * p["lively_area"] * n, p["fill_area"] * n)
        if p["structure"] >= 1:
            return found
        return [one for one in found if one.area < p["structure_area"] or self._covers(state, image, one)]

    def _covers(self, state: AdaptiveState, image: np.ndarray, found: Found) -> bool:
        """Return whether an object hides the structure of the background behind it."""
        box, inside = found.patch()
        picture = image[: state.n_pixels].reshape(*state.size, *image.shape[1:])[box]
        luma = picture.astype(np.float32)
        if luma.ndim == 3:
            luma = luma @ np.array(LUMA, np.float32)
        return correlation(luma, state.view(state.state.modes[0, :, MEAN_Y])[box], inside) < self.parameters["structure"]

    def _large_area(self, state: AdaptiveState, liveliness: float) -> float:
        """Return the area, in pixels, from which an object is no flicker."""
        p = self.parameters
        return (liveliness * p["large_area"] + (1 - liveliness) * p["large_still"]) * state.n_pixels

    def _learn(self, state: AdaptiveState, image: np.ndarray, step: Step, found: np.ndarray, large: np.ndarray) -> None:
        """Move the mixture and the flicker."""
        last = state.view(state.large)
        state.view(state.planes.near)[...] = cv2.dilate(cv2.bitwise_or(large, last), _NEAR)
        state.view(state.planes.mask)[...] = found
        last[...] = large
        state.share(lambda lo, hi: update_tiles(image, state.state, state.planes, lo, hi, step), self.threads)
        state.spread_flicker()

    def _write(
        self,
        state: AdaptiveState,
        found: np.ndarray,
        evidence: np.ndarray,
        known_foreground: np.ndarray | None,
        mask: np.ndarray,
        probability: np.ndarray | None,
    ) -> None:
        """Fill in what the caller gets."""
        if self.parameters["detect_shadows"] and self.n_frames:
            _, shadow = cv2.threshold(
                state.view(state.planes.owner), SHADOW - 1, self.parameters["shadow_value"], cv2.THRESH_BINARY
            )
            found = np.where(found, found, shadow)
        whole = found.shape == mask.shape
        if not whole:
            mask[...] = 0
        part = mask[state.area]
        part[...] = found
        if probability is not None:
            probability[...] = 0
            within = np.empty(state.size, np.float32)
            probability_of(evidence, within)
            probability[state.area] = within
        if self.region is not None:
            part[state.outside] = 0
            if probability is not None:
                probability[state.area][state.outside] = 0
        if known_foreground is not None:
            known = known_foreground[state.area] != 0
            part[known & ~state.outside] = 255

    # -------------------------------------------------------------------------------------------------- constants

    def _step(self, rate: float | None, light: Light, liveliness: float) -> Step:
        """Return the constants of the frame that comes next."""
        p = {name: np.float32(value) for name, value in self.parameters.items()}
        n = self.n_frames + 1
        alpha = rate if rate is not None and n > 1 else max(1 / n, 1 / self.parameters["history"])
        slow = alpha
        if n > _UNPROTECTED:
            settled = _ABSORBED / (self.parameters["absorption_time"] * self.parameters["frame_rate"])
            slow = min(alpha, max(settled, alpha * min(1.0, self.parameters["taper"] / n)))
        calm = 1 - liveliness
        # A few early frames give an object that passes the weight of a background mode.
        new = min(0.4, self.parameters["early_doubt"] * calm / max(1, self.n_frames))
        gain = light.gain if self.parameters["compensate_light"] else 1.0
        grey = self.shape is not None and len(self.shape) == 2
        luma = (1.0, 0.0, 0.0) if grey else LUMA
        dead_zone = liveliness * self.parameters["flicker_lively"] + calm * self.parameters["flicker_still"]
        return Step(
            luma=tuple(np.float32(share * gain) for share in luma),
            chroma=tuple(np.float32(scale) for scale in CHROMA),
            gain=np.float32(gain),
            alpha=np.float32(alpha),
            slow=np.float32(slow),
            match=p["match_distance"],
            offset=p["threshold"],
            low_weight=np.float32(self.parameters["low_weight"] + new),
            prior_slope=p["weight_doubt"] / p["weight_span"],
            prior=p["weight_doubt"],
            shadow_darkest=p["shadow_threshold"],
            shadow_chroma=np.float32(0.5) / p["shadow_spread"],
            shadow_offset=p["shadow_doubt"] - p["threshold"],
            steadiness=p["flicker_doubt"] / FLICKER_STEPS,
            dead_zone=np.float32(dead_zone) * FLICKER_STEPS,
            restless=p["restless"] * FLICKER_STEPS,
            blink_rate=p["flicker_rate"],
            var_init_y=p["var_init_y"],
            var_init_c=p["var_init_c"],
            var_min_y=p["var_min_y"],
            var_min_c=p["var_min_c"],
            var_max=p["var_max"],
            var_stretch=p["var_max"] * p["var_stretch"] / FLICKER_STEPS,
            last=self.parameters["n_components"] - 1,
        )

    def _neighbourhood(self, liveliness: float) -> Neighbourhood:
        """Return the constants of the search for moved background."""
        p = self.parameters
        level = liveliness * p["neighbour_lively"] + (1 - liveliness) * p["neighbour_still"]
        return Neighbourhood(
            radius=p["neighbour_radius"],
            flicker=int(np.ceil(level * float(FLICKER_STEPS))),
            low_weight=np.float32(p["low_weight"]),
            prior_slope=np.float32(p["weight_doubt"] / p["weight_span"]),
            penalty=np.float32(p["neighbour_doubt"]),
        )
