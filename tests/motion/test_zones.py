"""Zones: where they lie on the masks, which names are told, and what is said of those that do not do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from bgsub.errors import BgsubError
from bgsub.motion.blobs import find_blobs
from bgsub.motion.zone_files import parse_zone, read_zones
from bgsub.motion.zones import PlacedZones, Zone


def moving(shape: tuple[int, int], *boxes: tuple[int, int, int, int]) -> np.ndarray:
    """A mask of boxes x, y, width, height."""
    mask = np.zeros(shape, np.uint8)
    for x, y, width, height in boxes:
        mask[y : y + height, x : x + width] = 255
    return mask


def square(x: int, y: int, side: int) -> tuple[tuple[tuple[int, int], ...], ...]:
    return (((x, y), (x + side - 1, y), (x + side - 1, y + side - 1), (x, y + side - 1)),)


def test_what_is_ignored_is_cut_out_of_blobs_and_the_rest_of_them_stays() -> None:
    zones = PlacedZones([Zone("flag", square(20, 0, 20), "ignore")], (60, 40))
    mask = zones.clear_ignored(moving((40, 60), (10, 5, 20, 10), (22, 2, 3, 3)))
    (blob,) = find_blobs(mask)
    assert blob.box == (10, 5, 10, 10)
    assert zones.n_pixels == 60 * 40 - 400


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_a_pixel_that_is_ignored_in_part_is_ignored(factor: int) -> None:
    zones = PlacedZones([Zone("clock", square(11, 11, 7), "ignore")], (61, 47), factor)
    mask = zones.clear_ignored(np.full((47 // factor, 61 // factor), 255, np.uint8))
    covered = {(x // factor, y // factor) for x in range(11, 18) for y in range(11, 18)}
    assert {(int(x), int(y)) for y, x in np.argwhere(mask == 0)} == covered


def test_a_zone_is_touched_by_pixels_not_by_boxes_and_not_by_noise() -> None:
    corner, far = Zone("corner", square(0, 0, 10)), Zone("far", square(40, 20, 20))
    zones = PlacedZones([corner, far], (60, 40))
    hook = moving((40, 60), (0, 15, 30, 5), (25, 0, 5, 20), (50, 30, 1, 1))  # its box covers the corner, it does not
    blobs = find_blobs(hook, min_area=10)
    assert [blob.box for blob in blobs] == [(0, 0, 30, 20)]
    assert zones.touched(hook, blobs) == ()
    hook[8:16, 5:8] = 255
    assert zones.touched(hook, find_blobs(hook, min_area=10)) == ("corner",)


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_zones_are_in_pixels_of_the_source_whatever_the_masks_have(factor: int) -> None:
    zones = PlacedZones([Zone("left", square(0, 0, 32)), Zone("right", square(32, 0, 32))], (64, 32), factor)
    small = moving((32 // factor, 64 // factor), (24 // factor, 8 // factor, 8 // factor, 8 // factor))
    assert zones.touched(small, find_blobs(small, factor=factor)) == ("left",)


def test_a_zone_thinner_than_a_pixel_of_the_mask_is_not_lost() -> None:
    zones = PlacedZones([Zone("wire", (((0, 9), (63, 9), (63, 9)),))], (64, 32), 4)
    mask = moving((8, 16), (5, 0, 3, 8))
    assert zones.touched(mask, find_blobs(mask, factor=4)) == ("wire",)


def test_a_region_and_what_is_ignored_leave_the_rest_to_be_looked_at() -> None:
    region = np.zeros((40, 60), np.uint8)
    region[:, :30] = 255
    assert PlacedZones([Zone("half", square(20, 0, 40), "ignore")], (60, 40), 2, region).n_pixels == 20 * 40


def test_a_mask_image_is_a_zone(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "door.png"), moving((40, 60), (50, 0, 10, 40)))
    zones = PlacedZones([Zone("door", str(tmp_path / "door.png"))], (60, 40), 2)
    mask = moving((20, 30), (20, 5, 6, 4))
    assert zones.touched(mask, find_blobs(mask, factor=2)) == ("door",)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Zone("", square(0, 0, 5)), "zone name '' does not do"),
        (lambda: Zone("a/b", square(0, 0, 5)), "zone name 'a/b' does not do"),
        (lambda: Zone("a\n", square(0, 0, 5)), "does not do"),
        (lambda: Zone("a", square(0, 0, 5), "look"), "zone a: unknown kind 'look': give watch, ignore, line"),  # type: ignore[arg-type]
        (lambda: Zone("a", (((0, 0), (5, 5)),)), "zone a has a polygon of 2 points: give at least 3"),
        (lambda: Zone("a", (((0, 0),),), "line"), "zone a has a line of 1 points: give at least 2"),
        (lambda: Zone("a", (((3, 3), (3, 3)),), "line"), "zone a has a line without length"),
        (lambda: Zone("a", ()), "zone a has no polygon"),
        (lambda: Zone("a", "a.png", "line"), "zone a: a line cannot be a mask"),
        (lambda: Zone("a", (((0, 0), (5, float("nan")), (3, 3)),)), "zone a has a polygon with a point out of range"),
        (lambda: PlacedZones([Zone("a", square(70, 0, 5))], (60, 40)), "zone a lies outside the picture of 60x40"),
        (
            lambda: PlacedZones([Zone("a", (((70, 0), (70, 40)),), "line")], (60, 40)),
            "zone a has a line outside the picture of 60x40",
        ),
        (lambda: PlacedZones([Zone("a", square(0, 0, 5))] * 2, (60, 40)), "two zones are called a"),
        (lambda: PlacedZones([Zone("a", square(0, 0, 60), "ignore")], (60, 40)), "cover all that is looked at"),
        (lambda: PlacedZones([Zone("a", "none.png")], (60, 40)), "zone a: cannot read the mask none.png: no such file"),
    ],
)
def test_what_does_not_do_is_said_in_one_line(make: Callable[[], object], said: str) -> None:
    with pytest.raises(BgsubError) as caught:
        make()
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_mask_of_another_size_or_all_black_is_refused(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "door.png"), np.zeros((40, 60), np.uint8))
    zone = Zone("door", str(tmp_path / "door.png"))
    with pytest.raises(BgsubError, match="has 60x40 pixels, the video 64x48: give a mask of the video's size"):
        PlacedZones([zone], (64, 48))
    with pytest.raises(BgsubError, match="is black"):
        PlacedZones([zone], (60, 40))


def test_a_zone_file_holds_all_kinds_of_zones(tmp_path: Path) -> None:
    file = tmp_path / "zones.toml"
    file.write_text(
        """
[[zone]]
name = "Front door"
polygon = [[0, 0], [9.5, 0], [5, 20]]
[[zone]]
name = "flag"
kind = "ignore"
rectangle = [40, 10, 12, 8]
[[zone]]
name = "Straße_2"
mask = "street.png"
[[zone]]
name = "gate"
line = [[0, 30], [30, 30], [60, 35]]
[[zone]]
name = "kerb"
kind = "line"
polygon = [[0, 30], [60, 35]]
""",
        encoding="utf-8",
    )
    assert read_zones(file) == [
        Zone("Front door", (((0, 0), (9.5, 0), (5, 20)),)),
        Zone("flag", (((40, 10), (51, 10), (51, 17), (40, 17)),), "ignore"),
        Zone("Straße_2", str(tmp_path / "street.png")),
        Zone("gate", (((0, 30), (30, 30), (60, 35)),), "line"),
        Zone("kerb", (((0, 30), (60, 35)),), "line"),
    ]


POLYGON = "polygon = [[0, 0], [9, 0], [5, 20]]"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "zones.toml has no zone"),
        ("zone = 3", "zones.toml has no zone"),
        ("zone = [3]", "zone 1: it is no table"),
        ("threshold = 3", "unknown key 'threshold': a zone file has tables [[zone]] alone"),
        ("[[zone]", "cannot read the zones"),
        (f"[[zone]]\nname = 'a'\n{POLYGON}\ncolour = 3", "zone 1 (a): unknown key 'colour': give name, kind, polygon"),
        ("[[zone]]\nname = 'a'", "zone 1 (a): a zone has one of polygon, rectangle, mask, line, this one has none"),
        (f"[[zone]]\nname = 'a'\n{POLYGON}\nmask = 'b.png'", "this one has polygon and mask"),
        (f"[[zone]]\n{POLYGON}", "zone 1: it has no name"),
        (f"[[zone]]\nname = 3\n{POLYGON}", "zone name '3' does not do"),
        (f"[[zone]]\nname = 'a'\nkind = 'look'\n{POLYGON}", "zone 1 (a): unknown kind 'look'"),
        ("[[zone]]\nname = 'a'\nkind = 'watch'\nline = [[0, 0], [5, 5]]", "a line cannot be of kind 'watch'"),
        ("[[zone]]\nname = 'a'\npolygon = [[0, 0], [5], [3, 3]]", "polygon is no list of points"),
        ("[[zone]]\nname = 'a'\npolygon = [[0, 0], [5, 'x'], [3, 3]]", "polygon is no list of points"),
        ("[[zone]]\nname = 'a'\npolygon = [[0, 0], [inf, 1], [3, 3]]", "a point out of range"),
        ("[[zone]]\nname = 'a'\nrectangle = [0, 0, 5]", "rectangle is not [x, y, width, height]"),
        ("[[zone]]\nname = 'a'\nrectangle = [0, 0, 0, 5]", "rectangle 0,0,0,5 is empty"),
        ("[[zone]]\nname = 'a'\nmask = 3", "mask is no path"),
        (f"[[zone]]\nname = 'a'\n{POLYGON}\n[[zone]]\nname = 'a'\n{POLYGON}", "zones.toml: two zones are called a"),
        ("\0", "cannot read the zones"),
        ("x = " + "[" * 5000, "cannot read the zones"),
    ],
)
def test_a_zone_file_that_does_not_do_is_refused_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "zones.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BgsubError) as caught:
        read_zones(file)
    assert said in str(caught.value)
    assert "zones.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_zone_file_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BgsubError, match=r"cannot read the zones .*none\.toml: No such file"):
        read_zones(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BgsubError, match="it is no text"):
        read_zones(tmp_path / "bytes.toml")
    (tmp_path / "long.toml").write_bytes(b"#" * (2 << 20))
    with pytest.raises(BgsubError, match="larger than 1 MB"):
        read_zones(tmp_path / "long.toml")
    with pytest.raises(BgsubError, match="cannot read the zones"):
        read_zones(tmp_path)


def test_zones_can_be_written_on_the_command_line() -> None:
    assert parse_zone("door=10,10,5,5", "watch") == Zone("door", (((10, 10), (14, 10), (14, 14), (10, 14)),))
    assert parse_zone("0,0 9,0 5,9", "ignore", 2) == Zone("ignore 2", (((0, 0), (9, 0), (5, 9)),), "ignore")
    assert parse_zone("gate = 0,30 60,30", "line") == Zone("gate", (((0, 30), (60, 30)),), "line")
    assert parse_zone("flag=masks/flag.png", "ignore") == Zone("flag", "masks/flag.png", "ignore")
    with pytest.raises(BgsubError, match="zone door has no shape"):
        parse_zone("door=", "watch")
    with pytest.raises(BgsubError, match="cannot read the line '0,30 60'"):
        parse_zone("gate=0,30 60", "line")
