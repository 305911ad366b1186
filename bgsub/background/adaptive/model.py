"""`BackgroundSubtractor`: the accurate model, which finds out by itself what a scene is like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Unpack

import numpy as np

from bgsub.background.adaptive.clock import Clock
from bgsub.background.adaptive.constants import (
    Moment,
    large_area_of,
    liveliness_of,
    oldest_of,
    search_of,
    step_of,
)
from bgsub.background.adaptive.engine import Engine, layout, rescaled
from bgsub.background.adaptive.light import measure_light
from bgsub.background.adaptive.registration import Registration
from bgsub.background.adaptive.structure import verdicts_of
from bgsub.background.adaptive.tone import ShadowTones
from bgsub.background.keywords import AdaptiveParameters, RareParameters
from bgsub.background.layout import Layout
from bgsub.background.levels import Rescaling
from bgsub.background.model import BackgroundModel
from bgsub.background.parameters import ADAPTIVE_PARAMETERS, check_adaptive
from bgsub.background.region import Area, Polygon
from bgsub.errors import ParameterError
from bgsub.threads import opencv_bounded


class BackgroundSubtractor(BackgroundModel):
    """Background subtraction by an adaptive mixture of Gaussians that finds out what a scene is like.

    Beside the mixture of each pixel it weighs what the neighbours see, how the place flickers, whether a shadow or a
    change of light explains what is seen, and how large an object would be. One set of defaults serves day and night,
    still and waving scenes. Masks are far more accurate than those of `MOG2`, at about the cost of OpenCV's.

    Parameters
    ----------
    n_components : int, default 4
        Most Gaussians that a pixel can have, 1 to 16.
    history : int, default 500
        Memory in frames: the automatic learning rate is 1 / min(n, history) in frame n.
    threshold : float, default 6.5
        Evidence, as log-odds, that makes a pixel foreground; higher finds less. Above 0, up to 50.
    smoothing : float, default 1.5
        Standard deviation, in pixels, of the Gaussian over which neighbours share their evidence, up to 20; 0 for none.
    min_area : int, default 20
        Objects of fewer pixels are dropped.
    detect_shadows : bool, default True
        Tell cast shadows from objects and mark them with `shadow_value`; without, they count as objects. Pictures
        without colour have no hue to tell them by.
    shadow_value : int, default 127
        Mask value of shadows, 0 to 255.
    shadow_threshold : float, default 0.45
        Darkest shadow, as a share of the background's brightness, 0 to 1; one that is even may be a third darker.
    absorption_time : float, default 180
        Seconds after which an object that has stopped becomes background.
    frame_rate : float, default 25
        Nominal frames a second, by which `absorption_time` is counted where `apply` is not told the frames' times.
    compensate_light : bool, default True
        Follow changes of the light of the whole scene.
    stabilise : bool, default True
        Undo the movements of a camera that shakes. Whether it does is found out from the frames; for a still camera
        that costs next to nothing.
    region : ndarray of bool or uint8, shape (H, W), or list of polygons, optional
        Region of interest: a mask, inside where it is not 0, or polygons of (x, y) corners in pixels. Outside,
        masks are 0 and nothing is learned; only the box around the region costs time.
    threads : int, optional
        Most threads that work on a frame, by default as many as there are processors; small frames get fewer. The masks
        are the same for any number.
    device : {"cpu"}
        Where the frames are worked on.
    value_range : (float, float), optional
        Values of the frames that count as black and as white. By default those of 8 bits are taken as they are, and of
        others the range is found that the first 25 frames use: with a quarter of it on both sides, without single
        pixels far off, and never so narrow that noise would come to more than 1.5 of 255 grey levels. Values outside
        are clipped, which is said once. See the attribute for the range in force. Grey frames of such values are taken
        to show a measure, such as temperature or distance: what keeps the background's structure is no lamp's light
        there.
    **rare
        Those that few will want to change, see ``bgsub.background.parameters.ADAPTIVE_PARAMETERS``.

    Attributes
    ----------
    parameters : dict
        The parameters in force, by name.
    shape : tuple or None
        Shape of the frames, (H, W) or (H, W, 3); None before the first.
    n_frames : int
        Frames learned so far.
    value_range : tuple of float or None
        The range in force, part of what is saved; None for frames of 8 bits.
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
    A frame of a camera that shakes is first brought back to where the background is (`registration`), its mask to where
    the frame is. Then eight stages follow: the light of the scene (`light`, `colour`), the evidence of each pixel
    (`kernels`), what a shadow explains (`shadows`, `evenness`, `tone`), background that moved (`neighbourhood`), what
    stands and is no shadow (`standing`), smoothing and objects (`objects`), light that falls on structure
    (`structure`), and learning (`kernels`). This class holds the decisions; what touches every pixel an `Engine` does.
    Objects can be copied, pickled, and used side by side in several threads, one thread an object.

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
    _TABLE = ADAPTIVE_PARAMETERS
    _ENGINES = {"cpu": "bgsub.background.adaptive.cpu:CpuEngine"}  # noqa: RUF012  (ClassVar in the base)
    _LATER = ("clock", "tones")
    engine: Engine  # None before the first frame
    registration: Registration  # whether the camera shakes; there is one where there is an engine

    def __init__(
        self,
        *,
        n_components: int = 4,
        history: int = 500,
        threshold: float = 6.5,
        smoothing: float = 1.5,
        min_area: int = 20,
        detect_shadows: bool = True,
        shadow_value: int = 127,
        shadow_threshold: float = 0.45,
        absorption_time: float = 180.0,
        frame_rate: float = 25.0,
        compensate_light: bool = True,
        stabilise: bool = True,
        region: np.ndarray | Sequence[Polygon] | None = None,
        threads: int | None = None,
        device: Literal["cpu"] = "cpu",
        value_range: Sequence[float] | None = None,
        **rare: Unpack[RareParameters],
    ) -> None:
        if "scale" in rare:
            raise ParameterError("there is no scale here: the range of values is found, or given as value_range")
        super().__init__(
            region=region,
            threads=threads,
            device=device,
            scale="auto",
            value_range=value_range,
            n_components=n_components,
            history=history,
            threshold=threshold,
            smoothing=smoothing,
            min_area=min_area,
            detect_shadows=detect_shadows,
            shadow_value=shadow_value,
            shadow_threshold=shadow_threshold,
            absorption_time=absorption_time,
            frame_rate=frame_rate,
            compensate_light=compensate_light,
            stabilise=stabilise,
            **rare,
        )

    def set_parameters(self, **parameters: Unpack[AdaptiveParameters]) -> None:  # type: ignore[override]  # fewer names
        """Change parameters from the next frame on; what was learned stays.

        Parameters
        ----------
        **parameters
            Those of the constructor, and the rare ones; what is not named stays.

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
        probability: np.ndarray | None = None,
    ) -> np.ndarray:
        """Learn a frame and return its foreground mask.

        Parameters
        ----------
        image : ndarray, shape (H, W) or (H, W, 3)
            Grey or BGR, any strides, of integers, floats or bool (black and white). The first frame fixes the shape
            and, unless it has 8 bits, begins to fix `value_range`; after a first frame of 8 bits floats must be in
            [0, 255], and 16 bits are divided by 257. NaN and infinity are refused. So are alpha channels: of BGRA give
            ``image[..., :3]``.
        learning_rate : float in [0, 1], optional
            None: automatic, 1 / min(n, history). 0: only classify; the model does not change and the frame is
            not counted. 1: forget all and start again with this frame. The first frame is always learned whole.
        time : float, optional
            Seconds on the clock of the video or of the world, later than those of the frames before: `absorption_time`
            is counted by it. A gap counts as 1 s at most. Without it a frame comes 1 / `frame_rate` after the last
            one. `history` counts frames in any case.
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
        anew = not isinstance(learning_rate, np.ndarray) and learning_rate == 1
        clock = Clock() if anew else self._clock
        tick = clock.tick(time, self.parameters["frame_rate"])
        call = self._accept(image, learning_rate, known_foreground, out, probability)
        engine, p, n = self.engine, self._levels.suited(self.parameters, call.pixels.shape), self.n_frames
        with opencv_bounded(self._threads):
            moved = self.registration.follow(engine, call.pixels, n, call.learns) if p["stabilise"] else None
            view = engine.show(call.pixels, call.known_foreground, moved)
            light = measure_light(view.pixels, view.background)
            liveliness = liveliness_of(p, n, view.flickering)
            moment = Moment(n, call.rate, light, liveliness, tick.seconds, self._tones.tone())
            step, search = step_of(p, moment, call.pixels.ndim == 3), search_of(p, moment, self._n_pixels)
            large, oldest = large_area_of(p, moment, self._n_pixels), oldest_of(p, moment)
            objects = engine.score(step, search) if n else engine.begin()
            kept, ghosts = verdicts_of(objects, engine.likeness, p, n)
            engine.keep(kept, kept & (objects.area >= large))
            if call.learns:
                engine.learn(step, ghosts, oldest)
                if search.shadow is not None:
                    self._tones.learn(engine.shadow_depths())
                self._clock.now = tick
            engine.deliver(call.mask, call.probability)
        return self._result(call)

    def restart_clock(self) -> None:
        """Forget the times of the frames so far, so that those of another video may begin anywhere."""
        self._clock = Clock()

    def reset(self) -> None:
        """Forget everything, the shape of the frames too; the parameters stay."""
        super().reset()
        self._tones = ShadowTones()
        self.restart_clock()

    def background_image(self) -> np.ndarray:
        """Return the learned background: for each pixel the mean of its heaviest Gaussian.

        Returns
        -------
        ndarray, shape (H, W) or (H, W, 3)
            uint8; or of the frames' dtype and in their units, where there is a `value_range`. 0 where nothing has been
            learned (outside the region).

        Raises
        ------
        ParameterError
            Before the first frame.
        """
        levels = np.full(self._learned_shape(), np.nan, np.float32)
        levels[self._area.box] = self.engine.background_image()
        return self._levels.in_units(levels)

    # -------------------------------------------------------------------------------------- what the base asks for

    def _check_parameters(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return check_adaptive(values)

    def _layout(self, shape: tuple[int, ...]) -> Layout:
        area = Area(self.region, shape)
        return layout(area.size, 3 if len(shape) == 3 else 1, self.parameters["n_components"])

    def _make_engine(self, make: Any, shape: tuple[int, ...]) -> Engine:
        self._area = Area(self.region, shape)
        self._n_pixels = self._area.size[0] * self._area.size[1]
        self.registration = Registration(self._area.outside)
        return make(self._area, 3 if len(shape) == 3 else 1, self.parameters["n_components"], self.threads)

    def _rescale(self, change: Rescaling) -> None:
        self._restore(rescaled(self._saved(), *change, self.parameters))
        if change.offset:  # ratios are others then, and nobody knows which
            self._tones.forget()

    def _forget(self) -> None:
        super()._forget()
        self.registration.forget()
        self._tones.forget()
        self.restart_clock()

    def _saved(self) -> dict[str, np.ndarray]:
        return {**self.engine.saved(), "reference": self.registration.reference.copy()}

    def _restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        self.engine.restore(arrays)
        self.registration.restore(arrays["reference"])

    def _progress(self) -> dict[str, Any]:
        still = {"engaged": False, "recent": [], "calm": 0}
        registration = still if self.engine is None else self.registration.progress()
        return {"registration": registration, "clock": self._clock.progress(), "tones": self._tones.progress()}

    def _set_progress(self, values: Mapping[str, Any]) -> None:
        self.registration.set_progress(values["registration"])
        self._clock.set_progress(values["clock"])
        self._tones.set_progress(values["tones"])
