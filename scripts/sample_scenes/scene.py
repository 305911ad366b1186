"""A scene: a stage, a camera, and how light, exposure and weather change over time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .sensor import Sensor, Shake
from .stage import Composite, Stage
from .textures import Array


@dataclass
class Scene:
    """One clip to be; each frame depends on its index only.

    Attributes
    ----------
    stage, sensor
        What is seen, and by what.
    fps, frame_count : int
        Rate and length.
    gains : callable or None
        ``time -> {light: gain}``.
    exposure : callable or None
        ``time -> (gain, (blue, green, red))``: automatic exposure and white balance.
    shake : Shake or None
        Movement of the camera; the stage is then larger than the picture by its margin.
    overlay : callable or None
        ``(index, light) -> light``: rain before the lens.
    """

    stage: Stage
    sensor: Sensor
    fps: int
    frame_count: int
    gains: Callable[[float], Mapping[str, float]] | None = None
    exposure: Callable[[float], tuple[float, Sequence[float]]] | None = None
    shake: Shake | None = None
    overlay: Callable[[int, Array], Array] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture."""
        margin = self.shake.margin if self.shake else 0
        return self.stage.camera.width - 2 * margin, self.stage.camera.height - 2 * margin

    def frame(self, index: int) -> tuple[Array, Array]:
        """Render frame `index`: BGR picture ``(H, W, 3)`` and CDnet labels ``(H, W)``, both uint8."""
        time = index / self.fps
        composite = self.stage.compose(time, self.gains(time) if self.gains else None)
        if self.shake:
            composite = self._shaken(composite, time, self.shake)
        light = self.overlay(index, composite.light) if self.overlay else composite.light
        gain, balance = self.exposure(time) if self.exposure else (1.0, (1.0, 1.0, 1.0))
        return self.sensor.expose(light, index, gain, balance), composite.labels(self.sensor.blur)

    def _shaken(self, composite: Composite, time: float, shake: Shake) -> Composite:
        width, height = self.size
        times = [time + self.stage.shutter * share for share in (0.25, 0.75)]
        return Composite(
            *(
                shake.apply(image, times, width, height)
                for image in (composite.light, composite.coverage, composite.darkening)
            )
        )


def even(size: float) -> int:
    """Round to an even number of pixels, as chroma subsampling wants it."""
    return max(2, 2 * round(size / 2))


def between(time: float, points: Sequence[tuple[float, float]]) -> float:
    """Interpolate a value between ``(time, value)`` points."""
    times, values = zip(*points, strict=True)
    return float(np.interp(time, times, values))
