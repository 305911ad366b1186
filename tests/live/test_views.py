"""What is shown of a camera: each view at each width, private parts black, and nothing while nobody looks."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from bgsub.live.camera.views import Views
from bgsub.live.looking.drawing import with_mask
from bgsub.live.messages import SHOWN_FOR, Show, Shown
from bgsub.live.settings import Camera, Zone
from bgsub.video.writers.painting import Painter
from tests.live.recordings_made import SteppedClock

SIZE = (640, 360)
GREEN, MAGENTA = (60, 190, 50), (255, 0, 255)
PRIVATE = Zone(name="bed", kind="privacy", polygon=((0.5, 0.5), (0.9, 0.5), (0.9, 0.9), (0.5, 0.9)))


class Picture:
    """A green picture."""

    def color(self, width: int | None = None) -> np.ndarray:
        across = min(SIZE[0], width or SIZE[0])
        return np.full((round(across * SIZE[1] / SIZE[0]), across, 3), GREEN, np.uint8)


def watching(**values: Any) -> Any:
    """What has looked at it: something moves at the left, and in the private zone."""
    mask = np.zeros((180, 320), np.uint8)
    mask[40:120, 32:96] = mask[100:150, 180:260] = 255
    mask[20:30, 200:240] = 127  # a shadow
    background = np.full(mask.shape, 77, np.uint8)
    return SimpleNamespace(**{"mask": mask, "size": SIZE, "background": lambda: background, **values})


SEEN: Any = SimpleNamespace(objects={1: SimpleNamespace(box=(64.0, 80.0, 128.0, 160.0))})


def shown(show: Show, zones: tuple[Zone, ...] = (PRIVATE,), **values: Any) -> dict[str, np.ndarray]:
    """Return what is sent of one picture, decoded."""
    clock, sent = SteppedClock(), list[Shown]()
    views = Views(Camera(name="yard", source="0", zones=zones), sent.append, clock)
    views.show(show)
    views.take(Picture(), clock.now(), SEEN, watching(**values))  # type: ignore[arg-type]
    assert all(one.camera == "yard" and one.at == clock.now() for one in sent)
    return {one.view: cv2.imdecode(np.frombuffer(one.jpeg, np.uint8), cv2.IMREAD_UNCHANGED) for one in sent}


@pytest.mark.parametrize("width", [1280, 320, 193, 16])
def test_every_view_is_as_wide_as_told_and_black_where_it_is_private(width: int) -> None:
    found = shown(Show(views=("picture", "overlay", "mask", "background"), width=width))
    assert list(found) == ["picture", "overlay", "mask", "background"]
    for view, picture in found.items():
        source = 320 if view in ("mask", "background") else SIZE[0]
        assert picture.shape[1] == min(width, source)
        assert picture.shape[0] == pytest.approx(picture.shape[1] * 9 / 16, abs=1)
        height, across = picture.shape[:2]
        if width > 100:
            assert picture[height * 6 // 10 : height * 8 // 10, across * 6 // 10 : across * 8 // 10].max() <= 12, view


def test_views_show_what_they_say() -> None:
    found = shown(Show(views=("picture", "overlay", "mask", "background"), width=640), zones=())
    assert np.abs(found["picture"].astype(int) - GREEN).max() <= 3
    inside, outside = found["overlay"][160, 110].astype(int), found["overlay"][300, 60].astype(int)
    assert np.abs(inside - (np.array(GREEN) * 0.55 + np.array(MAGENTA) * 0.45)).max() <= 12
    assert np.abs(outside - GREEN).max() <= 6
    rim = found["overlay"][200, 60:70].astype(int)  # of the box at x = 64
    assert rim.min() < 60 < np.abs(rim - GREEN).max()
    assert found["mask"][80, 64] > 240 and found["mask"][170, 20] < 12
    assert np.abs(found["background"].astype(int) - 77).max() <= 2


def test_without_a_background_yet_the_rest_is_shown() -> None:
    assert list(shown(Show(views=("background", "mask")), background=lambda: None)) == ["mask"]


def test_as_many_are_sent_as_asked_for_and_none_once_nobody_looks() -> None:
    clock, sent = SteppedClock(), list[Shown]()
    views = Views(Camera(name="yard", source="0"), sent.append, clock)

    def run(seconds: float) -> int:
        del sent[:]
        for _ in range(round(seconds * 12)):
            clock.step(1 / 12)
            views.take(Picture(), clock.now(), SEEN, watching())  # type: ignore[arg-type]
        return len(sent)

    assert run(2) == 0
    for per_second in (10.0, 4.0, 0.5):
        views.show(Show(views=("mask",), per_second=per_second))
        assert run(8) == pytest.approx(8 * per_second, abs=1)
    views.show(Show(views=("mask",), per_second=5))
    assert run(2 * SHOWN_FOR) == pytest.approx(SHOWN_FOR * 5, abs=2)
    views.show(Show(views=("mask",), per_second=5))
    views.show(Show(views=()))
    assert run(2) == 0


def test_a_mask_is_drawn_as_everywhere_else() -> None:
    picture = np.random.default_rng(1).integers(0, 255, (270, 480, 3), np.uint8)
    mask = watching().mask
    only = np.where(mask == 255, np.uint8(255), np.uint8(0))
    large = cv2.resize(only, (480, 270), interpolation=cv2.INTER_NEAREST)
    assert np.array_equal(with_mask(picture.copy(), mask), Painter(MAGENTA).overlay(picture, large))
    assert np.array_equal(with_mask(picture.copy(), np.where(mask == 127, mask, 0)), picture)
