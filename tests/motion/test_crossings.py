"""Lines that are counted over and zones that are entered and left: once, with the right direction."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bgsub.motion.crossings import Borders, Count, count
from bgsub.motion.tracking import Sighting, Track
from bgsub.motion.zones import Zone

SIZE = (400, 300)
UP = Zone("gate", (((200, 290), (200, 10)),), "line")  # from below to above: its right is the picture's right


def walk(feet, number: int = 1, size: tuple[int, int] = (16, 32), fps: float = 25) -> Track:
    """A track whose foot goes so."""
    width, height = size
    boxes = [(round(x - (width - 1) / 2), round(y - height + 1), width, height) for x, y in feet]
    return Track(number, tuple(Sighting(i, i / fps, box, 300.0, (0.0, 0.0)) for i, box in enumerate(boxes)))


def crossed(zones, feet, **kwargs) -> list[tuple[str, str, int]]:
    track = Borders(zones, SIZE).crossed_by(walk(feet, **kwargs))
    assert all(crossing.time == crossing.frame / 25 and crossing.track == 1 for crossing in track.crossings)
    return [(crossing.name, crossing.direction, crossing.frame) for crossing in track.crossings]


def across(start: float, end: float, n: int, y: float = 150.0) -> list[tuple[float, float]]:
    return [(x, y) for x in np.linspace(start, end, n)]


def test_over_a_line_to_its_right_is_in_and_back_is_out() -> None:
    assert crossed([UP], across(150.5, 249.5, 34)) == [("gate", "in", 17)]
    assert crossed([UP], across(249.5, 150.5, 34)) == [("gate", "out", 17)]
    there_and_back = across(150.5, 249.5, 34) + across(249.5, 150.5, 34)
    assert [(way, frame) for _, way, frame in crossed([UP], there_and_back)] == [("in", 17), ("out", 51)]


@pytest.mark.parametrize(
    ("line", "way"),
    [
        (((0, 150), (399, 150)), "in"),  # to the right: its right hand is below
        (((399, 150), (0, 150)), "out"),
    ],
)
def test_the_direction_is_that_of_a_walker_along_the_line(line, way: str) -> None:
    down = [(200.0, y) for y in range(100, 200, 4)]
    assert [one[1] for one in crossed([Zone("kerb", (line,), "line")], down)] == [way]


def test_who_trembles_on_a_line_counts_once() -> None:
    tremble = [(200 + (1.5 if i % 2 else -1.5), 150.0) for i in range(40)]
    assert crossed([UP], across(150, 198, 20) + tremble + across(202, 250, 20)) == [("gate", "in", 59)]
    assert crossed([UP], across(150, 198, 20) + tremble + across(198, 150, 20)) == []


def test_who_goes_around_the_end_of_a_line_is_not_counted() -> None:
    short = Zone("gate", (((200, 200), (200, 100)),), "line")
    assert crossed([short], across(150, 250, 30, y=60)) == []
    assert crossed([short], across(150, 250, 30, y=240)) == []
    assert len(crossed([short], across(150, 250, 30, y=150))) == 1


def test_a_fast_object_between_two_frames_is_counted() -> None:
    assert crossed([UP], [(100.5, 150.0), (300.5, 150.0), (380.5, 150.0)]) == [("gate", "in", 1)]


def test_a_line_with_corners_counts_once_also_at_a_corner() -> None:
    bent = Zone("gate", (((200, 290), (200, 150), (260, 10)),), "line")
    for y in (100, 149, 150, 151, 200):
        assert [one[1] for one in crossed([bent], across(120.5, 320.5, 51, y=y))] == ["in"], y


def test_a_zone_is_entered_and_left() -> None:
    yard = Zone("yard", (((150, 100), (250, 100), (250, 200), (150, 200)),))
    assert crossed([yard], across(100.5, 300.5, 51)) == [("yard", "in", 13), ("yard", "out", 38)]
    assert crossed([yard], across(200, 300, 26)) == [("yard", "out", 13)]  # it begins inside: no entry
    assert crossed([yard], across(20, 100, 26)) == []


def test_who_trembles_on_the_edge_of_a_zone_does_not_enter() -> None:
    yard = Zone("yard", (((150, 100), (250, 100), (250, 200), (150, 200)),))
    tremble = [(150 + (1 if i % 2 else -1), 150.0) for i in range(40)]
    assert crossed([yard], across(100, 148, 20) + tremble + across(148, 100, 20)) == []
    assert [one[:2] for one in crossed([yard], across(100, 148, 20) + tremble + across(152, 200, 20))] == [
        ("yard", "in")
    ]


def test_a_zone_narrower_than_who_passes_it_is_entered_too() -> None:
    strip = Zone("strip", (((150, 0), (160, 0), (160, 299), (150, 299)),))
    ways = [one[1] for one in crossed([strip], across(60, 260, 101), size=(90, 130))]
    assert ways == ["in", "out"]


def test_a_zone_that_is_a_mask_is_entered_by_the_foot(tmp_path) -> None:
    picture = np.zeros((300, 400), np.uint8)
    picture[100:200, 150:251] = 255
    cv2.imwrite(str(tmp_path / "yard.png"), picture)
    yard = Zone("yard", str(tmp_path / "yard.png"))
    assert crossed([yard], across(100.5, 300.5, 51)) == [("yard", "in", 13), ("yard", "out", 38)]
    assert crossed([yard], across(100.5, 300.5, 51, y=210)) == []  # its head is inside, its foot is not


def test_feet_below_the_picture_stand_on_its_edge() -> None:
    yard = Zone("yard", (((150, 200), (250, 200), (250, 299), (150, 299)),))
    assert [one[1] for one in crossed([yard], across(100, 300, 51, y=310))] == ["in", "out"]


def test_what_is_ignored_has_no_border_and_counts_name_all_others() -> None:
    zones = [UP, Zone("tree", (((10, 10), (60, 10), (60, 60)),), "ignore"), Zone("yard", (((5, 5), (9, 5), (9, 9)),))]
    borders = Borders(zones, SIZE)
    feet = [across(150, 250, 30), across(250, 150, 30), across(150, 250, 30), across(20, 90, 30)]
    tracks = [borders.crossed_by(walk(foot, number)) for number, foot in enumerate(feet, 1)]
    counts = count(zones, tracks)
    assert counts == {"gate": Count(2, 1), "yard": Count(0, 0)}
    assert str(counts["gate"]) == "in 2, out 1"
    assert [crossing.track for track in tracks for crossing in track.crossings] == [1, 2, 3]
