"""`BackgroundSubtractor`: the accurate model, which finds out by itself what a scene is like."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

from bgsub.background.adaptive.constants import Moment, neighbourhood_of, standing_of, step_of
from bgsub.background.adaptive.cpu import AdaptiveState, Layout, area_of, layout
from bgsub.background.adaptive.kernels import (
    FOREGROUND,
    GHOST,
    NOBODY,
    SHADOW,
    ZERO_BYTE,
    Step,
    score_tiles,
    update_tiles,
)
from bgsub.background.adaptive.light import luma_of_picture, measure_light
from bgsub.background.adaptive.neighbourhood import explain_by_neighbours
from bgsub.background.adaptive.objects import Found, find_objects, mask_of, probability_of, smoothed
from bgsub.background.adaptive.standing import raise_standing, share_below
from bgsub.background.adaptive.structure import LEFT, OBJECT, Bounds, judge
from bgsub.background.model import BackgroundModel
from bgsub.background.parameters import ADAPTIVE_PARAMETERS, check_adaptive
from bgsub.threads import side_by_side, threads_for

_FLICKERING = 30  # bytes of flicker, 0.03, that make a pixel count as flickering
_REVIEW = 8  # frames between two looks at an object that stays where it was
_UNSURE = 5  # frames in which any scene is taken to be in motion
_AROUND = (5, 5)  # pixels of a shadow that must agree
_NEAR = np.ones((7, 7), np.uint8)


class BackgroundSubtractor(BackgroundModel):
    """Background subtraction by an adaptive mixture of Gaussians that finds out what a scene is like.

    Beside the mixture of each pixel it weighs what the neighbours see, how the place flickers, whether a shadow or a
    change of light explains what is seen, and how large an object would be. One set of defaults serves day and night,
    still and waving scenes. Masks are far more accurate than those of `MOG2`, at about the cost of OpenCV's.

    Parameters
    ----------
    n_components : int, 1 to 16
        Most Gaussians that a pixel can have.
    history : int
        Memory in frames: the automatic learning rate is 1 / min(n, history) in frame n.
    threshold : float
        Evidence, as log-odds, that makes a pixel foreground; higher finds less.
    smoothing : float
        Standard deviation, in pixels, of the Gaussian over which neighbours share their evidence; 0 for none.
    min_area : int
        Objects of fewer pixels are dropped.
    detect_shadows : bool
        Tell cast shadows from objects and mark them with `shadow_value`; without, they count as objects. Pictures
        without colour have no hue to tell them by.
    shadow_value : int, 0 to 255
        Mask value of shadows.
    shadow_threshold : float in [0, 1]
        Darkest shadow, as a share of the background's brightness.
    absorption_time : float
        Seconds after which an object that has stopped becomes background.
    frame_rate : float
        Frames a second, by which `absorption_time` is counted.
    compensate_light : bool
        Follow changes of the light of the whole scene.
    stabilise : bool
        Undo the movements of a camera that shakes. Whether it does is found out from the frames; for a still camera
        that costs next to nothing.
    region : ndarray of bool or uint8, shape (H, W), or list of polygons, optional
        Region of interest: a mask, inside where it is not 0, or polygons of (x, y) corners in pixels. Outside,
        masks are 0 and nothing is learned; only the box around the region costs time.
    threads : int, optional
        Most threads to use, by default as many as there are processors; small frames get fewer. The masks are the
        same for any number.
    **parameters
        The rarer ones, see ``bgsub.background.parameters.ADAPTIVE_PARAMETERS``.

    Attributes
    ----------
    parameters : dict
        The parameters in force, by name.
    shape : tuple or None
        Shape of the frames, (H, W) or (H, W, 3); None before the first.
    n_frames : int
        Frames learned so far.

    Raises
    ------
    ParameterError
        When a value is out of its bounds; the text names parameter, value and bounds.

    Notes
    -----
    A frame of a camera that shakes is first brought back to where the background is (`registration`), its mask to where
    the frame is. Then seven stages follow: the light of the scene (`light`), the evidence of each pixel
    (`kernels`), background that moved (`neighbourhood`), what stands and is no shadow (`standing`), smoothing
    and objects (`objects`), light that falls on structure (`structure`), and learning (`kernels`). Objects can
    be copied, pickled, and used side by side in several threads, one thread an object.

    References
    ----------
    Z. Zivkovic, "Improved adaptive Gaussian mixture model for background subtraction", ICPR 2004.
    A. Elgammal, D. Harwood and L. Davis, "Non-parametric model for background subtraction", ECCV 2000.
    P.-L. St-Charles, G.-A. Bilodeau and R. Bergevin, "SuBSENSE: a universal change detection method with local
    adaptive sensitivity", IEEE Transactions on Image Processing 24, 2015 (feedback from blinking pixels).

    Examples
    --------
    >>> import numpy as np
    >>> from bgsub import BackgroundSubtractor
    >>> subtractor = BackgroundSubtractor()
    >>> wall = np.full((60, 80, 3), 90, np.uint8)
    >>> for _ in range(20):
    ...     mask = subtractor.apply(wall)
    >>> wall[20:40, 30:50] = 200
    >>> mask = subtractor.apply(wall)
    >>> int(mask[30, 40]), int(mask[5, 5])
    (255, 0)
    """

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
        """Learn a frame and return its foreground mask.

        Parameters
        ----------
        image : ndarray, shape (H, W) or (H, W, 3)
            Grey or BGR, any strides: uint8, float32 in [0, 255], or uint16 (divided by 257). The first frame fixes
            the shape.
        learning_rate : float in [0, 1], optional
            None: automatic, 1 / min(n, history). 0: only classify; the model does not change and the frame is
            not counted. 1: forget all and start again with this frame. The first frame is always learned whole.
        known_foreground : ndarray of bool or uint8, shape (H, W), optional
            Pixels that are not 0 are foreground for sure: marked 255, and not learned.
        out : ndarray of uint8, shape (H, W), optional
            Receives the mask, and is returned.
        probability : ndarray of float32, shape (H, W), optional
            Receives the probability that a pixel is foreground, 0 to 1, by what is seen: after smoothing, before
            objects are judged by their size and structure; 0 outside the region.

        Returns
        -------
        ndarray of uint8, shape (H, W)
            0 background, 127 (`shadow_value`) shadow, 255 foreground. The first frame has nothing to differ from: its
            mask is empty.

        Raises
        ------
        ParameterError
            When an argument is not as above or the image is not of the first one's shape; the model stays as it was.
        """
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

    def _progress(self) -> dict[str, Any]:
        still = {"engaged": False, "recent": [], "calm": 0}
        return {"registration": still if self._state is None else self._state.registration.progress()}

    def _set_progress(self, values: Mapping[str, Any]) -> None:
        self._state.registration.set_progress(values["registration"])

    def _mask(
        self,
        pixels: np.ndarray,
        mask: np.ndarray,
        rate: float | None,
        known_foreground: np.ndarray | None,
        probability: np.ndarray | None,
    ) -> None:
        shift = self._state.displacement(pixels, self.n_frames, rate != 0) if self.parameters["stabilise"] else None
        if shift is None:
            self._mask_still(pixels, mask, rate, known_foreground, probability, None)
            return
        known = None if known_foreground is None else shift.to_background(known_foreground.view(np.uint8), nearest=True)
        self._mask_still(shift.to_background(pixels), mask, rate, known, probability, shift.hidden())
        for plane, nearest in ((mask, True), (probability, False)):
            if plane is not None:
                moved = shift.to_frame(plane, nearest)[self._state.area]
                plane[...] = 0  # the movement reaches beyond the box around the region
                plane[self._state.area] = moved
        self._delimit(self._state, known_foreground, mask, probability)

    def _mask_still(
        self,
        pixels: np.ndarray,
        mask: np.ndarray,
        rate: float | None,
        known_foreground: np.ndarray | None,
        probability: np.ndarray | None,
        hidden: np.ndarray | None,
    ) -> None:
        """Do what `_mask` describes for a frame that lies on the background, of which it may leave pixels `hidden`."""
        state = self._state
        image = state.pixels(pixels)
        state.close(known_foreground, hidden)
        liveliness = self._liveliness(state)
        light = measure_light(image, state.state.modes)
        step = self._step(Moment(self.n_frames, rate, light, liveliness), pixels.ndim == 3)
        if self.n_frames:
            seek_shadows = self.parameters["detect_shadows"] and light.has_colour
            self._score(state, image, step, liveliness, seek_shadows)
            seen = self._evidence(state, known_foreground, hidden)
            if seek_shadows and self.parameters["standing_gain"]:
                self._raise_standing(state, seen)
            evidence, shadows = side_by_side(
                lambda: smoothed(seen, self.parameters["smoothing"]),
                lambda: self._shadows(state),
                threads=threads_for(state.n_pixels, self.threads),
            )
        else:  # there is nothing yet from which a pixel could differ
            state.planes.owner[...] = NOBODY
            evidence, shadows = np.zeros((2, *state.size), np.uint8)
        objects, ghosts = self._objects(state, image, evidence, liveliness)
        found = mask_of(objects, state.size)
        if rate != 0:
            least = self._large_area(liveliness, state.n_pixels)
            large = [one for one in objects if one.area >= least]
            self._mark_near(state, found if len(large) == len(objects) else mask_of(large, state.size), liveliness)
            np.copyto(state.view(state.planes.mask), found)
            if ghosts:
                state.view(state.planes.mask)[mask_of(ghosts, state.size) != 0] = GHOST
            self._learn(state, image, step)
        self._write(state, cv2.max(found, shadows), evidence, known_foreground, mask, probability)

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
        near = neighbourhood_of(self.parameters, liveliness)
        if near.neighbour_radius and state.planes.smooth_flicker.max() >= near.least_flicker:
            state.share(
                lambda lo, hi: explain_by_neighbours(image, state.state, state.planes, state.size, lo, hi, step, near),
                self.threads,
            )

    def _evidence(
        self, state: AdaptiveState, known_foreground: np.ndarray | None, hidden: np.ndarray | None
    ) -> np.ndarray:
        """Return the evidence as a picture: certain where objects are known, none where nothing is to be seen."""
        evidence = state.view(state.planes.evidence)
        if self.region is not None or hidden is not None:
            evidence[state.view(state.planes.closed) != 0] = ZERO_BYTE
        if known_foreground is not None:
            evidence[known_foreground[state.area] != 0] = 255
        return evidence

    def _raise_standing(self, state: AdaptiveState, evidence: np.ndarray) -> None:
        """Take what stands above foreground for no shadow; `evidence` is the picture of the planes'."""
        below, spacing = share_below(evidence, self.parameters["standing_reach"])
        constants = standing_of(self.parameters)
        state.share(
            lambda lo, hi: raise_standing(state.planes, below, spacing, state.size, lo, hi, constants), self.threads
        )

    def _objects(
        self, state: AdaptiveState, image: np.ndarray, evidence: np.ndarray, liveliness: float
    ) -> tuple[list[Found], list[Found]]:
        """Return what is large enough and no mere change of light, and the ghosts of objects that have gone."""
        p, n = self.parameters, state.n_pixels
        found = find_objects(evidence, p["min_area"] + liveliness * p["lively_area"] * n, p["fill_area"] * n)
        verdicts = [self._judge(state, image, one) for one in found]
        objects, ghosts = (
            [one for one, verdict in zip(found, verdicts, strict=True) if verdict == wanted]
            for wanted in (OBJECT, LEFT)
        )
        return objects, ghosts

    def _judge(self, state: AdaptiveState, image: np.ndarray, found: Found) -> str:
        """Return whether something is an object, light on the background, or a place that an object has left."""
        p = self.parameters
        if found.area < p["structure_area"]:
            return OBJECT
        if self.n_frames % _REVIEW:  # one that stands where objects were is looked at again now and then only
            last = state.view(state.planes.mask)[found.box()]
            if 2 * np.count_nonzero(last == FOREGROUND) > found.area:
                return OBJECT
        box, inside = found.patch(state.size)
        luma = luma_of_picture(image[: state.n_pixels].reshape(*state.size, *image.shape[1:])[box])
        bounds = Bounds(p["structure"], p["ghost_ratio"], p["ghost_edges"])
        return judge(luma, state.background_luma(box), inside, bounds)

    def _large_area(self, liveliness: float, n_pixels: int) -> float:
        """Return the area, in pixels, from which an object is no flicker.

        A scene full of objects must not pass for one in motion, in which they would be flicker for good: so in the
        first frames every scene is taken to be calm.
        """
        p = self.parameters
        if self.n_frames <= p["large_early"]:
            liveliness = 0.0
        return (liveliness * p["large_area"] + (1 - liveliness) * p["large_still"]) * n_pixels

    def _mark_near(self, state: AdaptiveState, large: np.ndarray, liveliness: float) -> None:
        """Mark where changes are no flicker: around what is `large` (uint8, not 0 there), now or in the last frame.

        In a scene in motion what has stood long enough may be leaves that hang otherwise than at first. They would keep
        their place for good, so within such an object changes count; a real one that has stopped shows none.
        """
        age, near = state.view(state.age), state.view(state.planes.near)
        cv2.dilate(cv2.bitwise_or(large, age), _NEAR, dst=near)
        cv2.bitwise_and(cv2.convertScaleAbs(age, beta=1), large, dst=age)  # one more, at most 255
        old = self.parameters["lively_age"] / max(liveliness, 1e-9)
        if old <= 255:
            young = cv2.threshold(age, math.ceil(old) - 1, 255, cv2.THRESH_BINARY_INV)[1]
            cv2.bitwise_and(near, young, dst=near)

    def _learn(self, state: AdaptiveState, image: np.ndarray, step: Step) -> None:
        """Move the mixture and the flicker."""
        state.share(lambda lo, hi: update_tiles(image, state.state, state.planes, lo, hi, step), self.threads)
        state.spread_flicker()

    def _write(
        self,
        state: AdaptiveState,
        marked: np.ndarray,
        evidence: np.ndarray,
        known_foreground: np.ndarray | None,
        mask: np.ndarray,
        probability: np.ndarray | None,
    ) -> None:
        """Fill in what the caller gets."""
        part = mask[state.area]
        if part.shape != mask.shape:
            mask[...] = 0
        part[...] = marked
        if probability is not None:
            probability[...] = 0
            within = np.empty(state.size, np.float32)
            probability_of(evidence, within)
            probability[state.area] = within
        self._delimit(state, known_foreground, mask, probability)

    def _shadows(self, state: AdaptiveState) -> np.ndarray:
        """Return the mask of shadows, uint8: where most pixels around were explained as one, since noise is too."""
        _, flags = cv2.threshold(state.view(state.planes.owner), SHADOW - 1, 255, cv2.THRESH_BINARY)
        value = self.parameters["shadow_value"]
        return cv2.threshold(cv2.blur(flags, _AROUND), 127, value, cv2.THRESH_BINARY)[1]

    def _delimit(
        self,
        state: AdaptiveState,
        known_foreground: np.ndarray | None,
        mask: np.ndarray,
        probability: np.ndarray | None,
    ) -> None:
        """Leave nothing outside the region, and mark what is known."""
        part = mask[state.area]
        if self.region is not None:
            part[state.outside] = 0
            if probability is not None:
                probability[state.area][state.outside] = 0
        if known_foreground is not None:
            known = known_foreground[state.area] != 0
            part[known & ~state.outside] = 255

    def _step(self, moment: Moment, has_channels: bool) -> Step:
        """Return the constants of the frame that comes next."""
        return step_of(self.parameters, moment, has_channels)
