"""`MOG2`: OpenCV's background subtractor, several times faster, saveable and freezable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Unpack

import numpy as np

from bgsub.background.arguments import as_image, checked_rate
from bgsub.background.keywords import MOG2Parameters, NoOthers
from bgsub.background.layout import Layout
from bgsub.background.levels import Rescaling
from bgsub.background.model import BackgroundModel, Call
from bgsub.background.mog2.constants import step_of
from bgsub.background.mog2.engine import Engine, layout, rescaled
from bgsub.background.mog2.step import MOST_AT_ONCE
from bgsub.background.parameters import MOG2_PARAMETERS, check_mog2
from bgsub.background.region import Polygon
from bgsub.errors import ParameterError


class MOG2(BackgroundModel):
    """Background subtraction by an adaptive mixture of Gaussians for each pixel.

    With equal parameters the masks are those of ``cv2.createBackgroundSubtractorMOG2``.

    Parameters
    ----------
    n_components : int, default 5
        Most Gaussians that a pixel can have, 1 to 32.
    history : int, default 500
        Memory in frames: the automatic learning rate is 1 / min(2 n, history) in frame n.
    var_threshold : float, default 16
        Squared Mahalanobis distance up to which a pixel is background.
    var_threshold_gen : float, default 9
        Squared Mahalanobis distance up to which a pixel belongs to a Gaussian and updates it.
    background_ratio : float, default 0.9
        The heaviest Gaussians, up to this share of the weights, are the background. Above 0, up to 1.
    var_init : float, default 15
        Variance of a new Gaussian, in squared grey levels (0 to 255).
    var_min : float, default 4
        Smallest variance of a Gaussian.
    var_max : float, default 75
        Largest variance of a Gaussian.
    complexity_prior : float, default 0.05
        Evidence, as a share of the frames, that a Gaussian needs to be kept, up to 0.5; 0 keeps all.
    detect_shadows : bool, default True
        Mark pixels that are a darker version of the background with `shadow_value` instead of 255.
    shadow_value : int, default 127
        Mask value of shadows, 0 to 255.
    shadow_threshold : float, default 0.5
        Darkest shadow, as a share of the background's brightness, 0 to 1.
    region : ndarray of bool or uint8, shape (H, W), or list of polygons, optional
        Region of interest: a mask, inside where it is not 0, or polygons of (x, y) corners in pixels. Outside,
        masks are 0 and nothing is learned.
    threads : int, optional
        Most threads that work on a frame, by default as many as there are processors; small frames get fewer. The masks
        are the same for any number.
    device : {"cpu"}
        Where the frames are worked on.
    precision : {"exact", "compact"}
        "compact" keeps the state in 16-bit fixed point: half the memory, faster where memory is what
        bounds it, and about one pixel in ten thousand decided otherwise.
    scale : {"full", "auto", "opencv"}
        What values of more than 8 bits mean. "full": 16 bits are divided by 257, float32 is in [0, 255], others are
        refused. "auto": the range is found that the first 25 frames use, as `BackgroundSubtractor` does. "opencv": any
        values are taken as they are, as by ``cv2.createBackgroundSubtractorMOG2``; variances are then in the squared
        units of the frames, and may be up to 1e12.
    value_range : (float, float), optional
        Values of the frames that count as black and as white; those outside are clipped, which is said once.

    Attributes
    ----------
    parameters : dict
        The parameters in force, by name.
    shape : tuple or None
        Shape of the frames, (H, W) or (H, W, 3); None before the first.
    n_frames : int
        Frames learned so far.
    value_range : tuple of float or None
        The range in force, part of what is saved; None where there is none.
    n_clipped : int
        Values so far that lay outside it.
    dtype : dtype or None
        Of the last frame learned.

    Raises
    ------
    ParameterError
        When a value is out of its bounds; the text names parameter, value and bounds.

    Notes
    -----
    Objects can be copied, pickled, and used side by side in several threads, one thread an object.

    References
    ----------
    Z. Zivkovic, "Improved adaptive Gaussian mixture model for background subtraction", ICPR 2004.
    Z. Zivkovic and F. van der Heijden, "Efficient adaptive density estimation per image pixel for the task of
    background subtraction", Pattern Recognition Letters 27, 2006.

    Examples
    --------
    >>> import numpy as np
    >>> from bgsub import MOG2
    >>> subtractor = MOG2(history=100, detect_shadows=False)
    >>> wall = np.full((4, 4, 3), 90, np.uint8)
    >>> for _ in range(20):
    ...     mask = subtractor.apply(wall)
    >>> wall[1:3, 1:3] = 200
    >>> subtractor.apply(wall)
    array([[  0,   0,   0,   0],
           [  0, 255, 255,   0],
           [  0, 255, 255,   0],
           [  0,   0,   0,   0]], dtype=uint8)
    """

    _KIND = "mog2"
    _TABLE = MOG2_PARAMETERS
    _ENGINES = {"cpu": "bgsub.background.mog2.cpu:CpuEngine"}  # noqa: RUF012  (ClassVar in the base)
    _SETTINGS = ("precision", "scale")
    _LATER = ("scale",)
    engine: Engine  # None before the first frame

    def __init__(
        self,
        *,
        n_components: int = 5,
        history: int = 500,
        var_threshold: float = 16.0,
        var_threshold_gen: float = 9.0,
        background_ratio: float = 0.9,
        var_init: float = 15.0,
        var_min: float = 4.0,
        var_max: float = 75.0,
        complexity_prior: float = 0.05,
        detect_shadows: bool = True,
        shadow_value: int = 127,
        shadow_threshold: float = 0.5,
        region: np.ndarray | Sequence[Polygon] | None = None,
        threads: int | None = None,
        device: Literal["cpu"] = "cpu",
        precision: Literal["exact", "compact"] = "exact",
        scale: Literal["full", "auto", "opencv"] = "full",
        value_range: Sequence[float] | None = None,
        **others: Unpack[NoOthers],
    ) -> None:
        self.precision = precision
        super().__init__(
            region=region,
            threads=threads,
            device=device,
            scale=scale,
            value_range=value_range,
            n_components=n_components,
            history=history,
            var_threshold=var_threshold,
            var_threshold_gen=var_threshold_gen,
            background_ratio=background_ratio,
            var_init=var_init,
            var_min=var_min,
            var_max=var_max,
            complexity_prior=complexity_prior,
            detect_shadows=detect_shadows,
            shadow_value=shadow_value,
            shadow_threshold=shadow_threshold,
            **others,
        )

    def set_parameters(self, **parameters: Unpack[MOG2Parameters]) -> None:  # type: ignore[override]  # fewer names
        """Change parameters from the next frame on; what was learned stays.

        Parameters
        ----------
        **parameters
            Those of the constructor, from `n_components` to `shadow_threshold`; what is not named stays.

        Raises
        ------
        ParameterError
            When a value is out of bounds, or one would change that the first frame has fixed (`n_components`).
        """
        super().set_parameters(**parameters)

    def apply(
        self,
        image: np.ndarray,
        *,
        learning_rate: float | None = None,
        time: float | None = None,
        known_foreground: np.ndarray | None = None,
        out: np.ndarray | None = None,
    ) -> np.ndarray:
        """Learn a frame and return its foreground mask.

        Parameters
        ----------
        image : ndarray, shape (H, W) or (H, W, 3)
            Grey or BGR, any strides: uint8, or as `scale` and `value_range` say. The first frame fixes the shape. NaN
            and infinity are refused. So are alpha channels: of BGRA give ``image[..., :3]``.
        learning_rate : float in [0, 1], optional
            None: automatic, 1 / min(2 n, history). 0: only classify; the model does not change and the frame is
            not counted. 1: forget all and start again with this frame. The first frame is always learned at
            the automatic rate, as in OpenCV.
        time : float, optional
            Never looked at, since this model counts frames: `BackgroundSubtractor.apply` has a use for it.
        known_foreground : ndarray of bool or uint8, shape (H, W), optional
            Pixels that are not 0 are foreground for sure: marked 255, and not learned.
        out : ndarray of uint8, shape (H, W), optional
            Receives the mask, and is returned.

        Returns
        -------
        ndarray of uint8, shape (H, W)
            0 background, 127 (`shadow_value`) shadow, 255 foreground. While nothing has been learned (rate 0 before
            the first frame) every pixel is foreground. In the first learned frame nearly all are shadow where shadows
            are looked for, foreground otherwise, as in OpenCV.

        Raises
        ------
        ParameterError
            When an argument is not as above or the image is not of the first one's shape; the model stays as it was.
        """
        call = self._accept(image, learning_rate, known_foreground, out)
        return self._take([call])[0]

    def apply_all(
        self,
        images: Sequence[np.ndarray],
        *,
        learning_rate: float | None = None,
        known_foreground: np.ndarray | None = None,
    ) -> list[np.ndarray]:
        """Learn frames one after another and return their masks: those of `apply`, in less time.

        What a pixel has learned is fetched from memory once for several frames. All of them are in memory at once,
        with their masks: of a long video give 8 at a time, more gain nothing.

        Parameters
        ----------
        images : sequence of ndarray, each of shape (H, W) or (H, W, 3)
            As `apply` takes them, all of one shape and type; a single array counts its frames first.
        learning_rate : float in [0, 1], optional
            Of each of them, as of `apply`: with 1 each one restarts the model.
        known_foreground : ndarray of bool or uint8, shape (H, W), optional
            Pixels that are foreground for sure in all of them.

        Returns
        -------
        list of ndarray of uint8, shape (H, W)
            A mask a frame.

        Raises
        ------
        ParameterError
            When an argument is not as above; then none of the frames has been learned.

        Examples
        --------
        >>> import numpy as np
        >>> from bgsub import MOG2
        >>> frames = np.full((20, 4, 4, 3), 90, np.uint8)
        >>> frames[-1, 1:3, 1:3] = 200
        >>> masks = MOG2(detect_shadows=False).apply_all(frames)
        >>> len(masks), int((masks[-1] == 255).sum())
        (20, 4)
        """
        rate = self._check_all(images, learning_rate, known_foreground)
        masks: list[np.ndarray] = []
        waiting: list[Call] = []
        for image in images:
            # Each frame by itself where the next one's grey levels or its mixture depend on it.
            changed = type(self).apply is not MOG2.apply  # by a subclass, whose own is to see each
            if changed or self.engine is None or rate == 1 or self._levels.is_looking:
                masks.append(self.apply(image, learning_rate=rate, known_foreground=known_foreground))
                continue
            waiting.append(self._accept(image, rate, known_foreground, None))
            if len(waiting) == MOST_AT_ONCE:
                masks += self._take(waiting)
                waiting = []
        return masks + self._take(waiting)

    def _check_all(
        self, images: Sequence[np.ndarray], learning_rate: float | None, known_foreground: np.ndarray | None
    ) -> float | None:
        """Raise ParameterError about the first argument that `apply` would refuse; return the rate."""
        rate, first = checked_rate(learning_rate), None
        for image in images:
            image = as_image(image)
            first = image if first is None else first
            if (image.shape, image.dtype) != (first.shape, first.dtype):
                raise ParameterError(
                    f"an image has shape {image.shape} and dtype {image.dtype}, the first {first.shape} and "
                    f"{first.dtype}: give frames of one kind"
                )
            self._check_arguments(image, rate, known_foreground)
        return rate

    def _take(self, calls: Sequence[Call]) -> list[np.ndarray]:
        """Learn accepted frames, at least none, and return their masks."""
        if not calls:
            return []
        counted = [self.n_frames + (i if calls[0].learns else 0) for i in range(len(calls))]
        self.engine.run(
            [call.pixels for call in calls],
            [call.mask for call in calls],
            [step_of(self.parameters, n, calls[0].rate, self.precision) for n in counted],
            shadows=self.parameters["detect_shadows"],
            frozen=not calls[0].learns,
            known_foreground=calls[0].known_foreground,
        )
        return [self._result(call) for call in calls]

    def background_image(self) -> np.ndarray:
        """Return the learned background: for each pixel the weighted mean of its background Gaussians.

        Returns
        -------
        ndarray, shape (H, W) or (H, W, 3)
            uint8; or of the frames' dtype and in their units, where there is a `value_range` or `scale` is "opencv". 0
            where nothing has been learned (outside the region).

        Raises
        ------
        ParameterError
            Before the first frame.
        """
        self._learned_shape()
        return self._levels.in_units(self.engine.background_image(self.parameters["background_ratio"]))

    # -------------------------------------------------------------------------------------- what the base asks for

    def _check_parameters(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return check_mog2(values, self.precision, self.scale)

    def _layout(self, shape: tuple[int, ...]) -> Layout:
        return layout(shape, self.parameters["n_components"], self.precision)

    def _rescale(self, change: Rescaling) -> None:
        self._restore(rescaled(self._saved(), *change, self.parameters))

    def _make_engine(self, make: Any, shape: tuple[int, ...]) -> Engine:
        return make(shape, self.parameters["n_components"], self.precision, self._region, self.threads)
