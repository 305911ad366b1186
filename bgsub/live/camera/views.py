"""What somebody who looks at a camera is shown: its latest picture, plain or with what moves, private parts black."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import cv2
import numpy as np

from bgsub.live.clock import Clock
from bgsub.live.looking.drawing import draw_boxes, with_mask
from bgsub.live.looking.privacy import hide
from bgsub.live.looking.watching import Seen, Watching
from bgsub.live.messages import SHOWN_FOR, Show, Shown, View
from bgsub.live.recording.recorder import ColorPicture
from bgsub.live.settings import Camera
from bgsub.motion.thumbnails import as_jpeg

_QUALITY = 75


class Views:
    """Sends pictures while somebody looks.

    Parameters
    ----------
    camera : Camera
        Whose.
    send : callable
        Called with each `Shown`.
    clock : Clock
        The time.
    """

    def __init__(self, camera: Camera, send: Callable[[Shown], None], clock: Clock) -> None:
        self._camera, self._send, self._clock = camera, send, clock
        self._asked: Show | None = None
        self._until = self._due = float("-inf")

    def show(self, asked: Show) -> None:
        """Send what is asked for, for a while; may be called in any thread."""
        self._until = self._clock.monotonic() + SHOWN_FOR
        self._asked = asked

    def take(self, picture: ColorPicture, at: datetime, seen: Seen, watching: Watching) -> None:
        """Take a picture, and send it if it is time for it."""
        now, asked = self._clock.monotonic(), self._asked
        if asked is None or now > self._until or now < self._due:
            return
        self._due = max(self._due + 1 / asked.per_second, now)  # in the mean as many as were asked for
        for view in dict.fromkeys(asked.views):
            image = self._image(view, picture, seen, watching, asked.width)
            if image is not None:
                jpeg = as_jpeg(hide(image, self._camera.zones), _QUALITY)
                self._send(Shown(camera=self._camera.name, view=view, at=at, jpeg=jpeg))

    def _image(
        self, view: View, picture: ColorPicture, seen: Seen, watching: Watching, width: int
    ) -> np.ndarray | None:
        if view == "picture":
            return picture.color(width)
        if view == "overlay":
            boxes = [sighting.box for sighting in seen.objects.values()]
            return draw_boxes(with_mask(picture.color(width), watching.mask), boxes, watching.size)
        if view == "mask":
            return _narrowed(watching.mask.copy(), width)
        background = watching.background()
        return None if background is None else _narrowed(background.copy(), width)


def _narrowed(image: np.ndarray, width: int) -> np.ndarray:
    """Return a picture that is no wider than told."""
    if image.shape[1] <= width:
        return image
    size = (width, max(1, round(image.shape[0] * width / image.shape[1])))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)
