"""A scan with zones: names in events, and motion that is not looked at."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import bgsub
from bgsub.motion.events import Rule
from bgsub.motion.scanning import scan
from bgsub.motion.zones import Zone


def left(x: int, y: int, width: int, height: int) -> tuple[tuple[tuple[int, int], ...], ...]:
    return (((x, y), (x + width, y), (x + width, y + height), (x, y + height)),)


def walk(path: Path) -> None:
    """Somebody goes from left to right, in frames 30 to 69, before a textured wall."""
    rng = np.random.default_rng(1)
    wall = rng.integers(80, 150, (120, 160), dtype=np.uint8)
    with bgsub.VideoWriter(str(path), fps=20) as writer:
        for i in range(100):
            image = wall.copy()
            if 30 <= i < 70:
                x = 4 * (i - 30)
                image[40:80, x : x + 16] = 240
            writer.write(image)


def test_an_event_says_which_zones_it_touched_and_ignored_ones_make_none(tmp_path: Path) -> None:
    walk(tmp_path / "walk.mkv")
    rule = Rule(min_length=0.1)
    zones = [
        Zone("door", left(0, 30, 20, 60)),
        Zone("window", left(60, 0, 40, 20)),
        Zone("gate", left(140, 30, 19, 60)),
    ]
    (event,) = scan(str(tmp_path / "walk.mkv"), zones=zones, rule=rule)
    assert event.zones == ("door", "gate")
    assert abs(event.start - 1.5) <= 0.1
    assert list(scan(str(tmp_path / "walk.mkv"), zones=[Zone("all", left(0, 30, 159, 60), "ignore")], rule=rule)) == []
    (half,) = scan(str(tmp_path / "walk.mkv"), zones=[Zone("half", left(0, 0, 80, 119), "ignore")], rule=rule)
    assert half.box[0] >= 80
    assert abs(half.start - (1.5 + (81 - 16) / 80)) <= 0.15


def test_a_scan_tells_what_stays_after_an_event(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    wall, bag = rng.integers(90, 110, (120, 160), np.uint8), rng.integers(0, 255, (24, 24), np.uint8)
    for name in ("left", "taken"):
        with bgsub.VideoWriter(str(tmp_path / f"{name}.mkv"), fps=20) as writer:
            for i in range(220):
                image = wall.copy()
                x = min(4 * (i - 30), 80) if name == "left" else 60 + max(4 * (i - 130), 0)
                if 0 <= x < 160:
                    image[60:84, x : x + 24] = bag[:, : 160 - x]
                writer.write(image)
    assert [event.kind for event in scan(str(tmp_path / "left.mkv"))] == ["stopped"]
    assert [event.kind for event in scan(str(tmp_path / "taken.mkv"))] == ["removed"]
