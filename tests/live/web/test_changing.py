"""Zones and settings that the page changes: kept in the file, whose comments stay, or told that they are not."""

import os

import pytest

from bgsub.live.configuration.reading import read_configuration
from bgsub.live.settings import Camera, Zone
from bgsub.live.web.file_editing import edited

FILE = """\
# My cameras.
listen = "127.0.0.1:0"   # for Prometheus

[[cameras]]
name = "yard"            # behind the house
source = "rtsp://u:p@yard/main"
sensitivity = 1.5        # it is far away

# who comes in
[[cameras.zones]]
name = "gate"            # of iron
polygon = [[0, 0], [0.5, 0], [0.5, 1]]
loiter = "10s"

[[cameras.zones]]
name = "road"
kind = "ignore"          # cars
polygon = [[0.5, 0], [1, 0], [1, 1]]

[[cameras]]
name = "door"
source = 0               # the webcam
zones = [{ name = "mat", polygon = [[0, 0], [1, 0], [1, 1]] }]   # one line

# The end.
[retention]
max_age = "30d"          # not longer
"""
COMMENTS = [part.strip() for line in FILE.splitlines() if "#" in line for part in [line[line.index("#") :]]]
NEW = {"name": "path", "polygon": [[0.12345, 0.2], [0.9, 0.2], [0.9, 1]], "kind": "watch", "loiter": 0}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "cameras.toml"
    path.write_text(FILE)
    path.chmod(0o600)
    return path


@pytest.fixture
def kept(serve, file):
    return serve(configuration=file)


def settings(page, camera="yard"):
    return page.get(f"/api/cameras/{camera}/settings").body


def change(page, camera="yard", **values):
    values = {"revision": settings(page, camera)["revision"], **values}
    return page.request("PUT", f"/api/cameras/{camera}/settings", values)


def test_a_zone_is_kept_in_the_file_and_watched(kept, file):
    zones = settings(kept)["zones"]
    answer = change(kept, zones=[*zones, NEW], sensitivity=2)
    assert answer.status == 200 and answer.body["kept"]
    watch = read_configuration(file).watch
    yard = watch.cameras[0]
    assert kept.station.watch == watch
    assert [zone.name for zone in yard.zones] == ["gate", "road", "path"]
    assert yard.zones[2].polygon == ((0.1235, 0.2), (0.9, 0.2), (0.9, 1.0))
    assert (yard.zones[0].loiter, yard.sensitivity) == (10, 2)
    assert watch.cameras[1].zones[0].name == "mat" and watch.retention.max_age == 30 * 86400
    text = file.read_text()
    assert [comment for comment in COMMENTS if comment not in text] == []
    assert 'loiter = "10s"' in text and 'source = "rtsp://u:p@yard/main"' in text
    assert file.stat().st_mode & 0o777 == 0o600
    assert answer.body["settings"] == settings(kept)


def test_zones_are_changed_and_removed_one_by_one(kept, file):
    gate, road = settings(kept)["zones"]
    gate["polygon"][0] = [0.25, 0.25]
    assert change(kept, zones=[gate]).status == 200
    (zone,) = read_configuration(file).watch.cameras[0].zones
    assert zone == Zone(name="gate", polygon=((0.25, 0.25), (0.5, 0), (0.5, 1)), loiter=10)
    assert change(kept, zones=[]).status == 200
    assert read_configuration(file).watch.cameras[0].zones == ()
    assert change(kept, zones=[gate, road | {"kind": "privacy"}]).status == 200
    assert [zone.kind for zone in read_configuration(file).watch.cameras[0].zones] == ["watch", "privacy"]
    assert "# The end." in file.read_text() and "# my" not in file.read_text()


def test_zones_in_one_line_stay_in_one(kept, file):
    mat = settings(kept, "door")["zones"]
    assert change(kept, "door", zones=[*mat, NEW]).status == 200
    assert [zone.name for zone in read_configuration(file).watch.cameras[1].zones] == ["mat", "path"]
    assert "# one line" in file.read_text()
    assert change(kept, "door", min_length=2.5).status == 200
    assert read_configuration(file).watch.cameras[1].min_length == 2.5


def test_without_a_file_it_holds_until_the_end_and_says_so(page):
    answer = change(page, zones=[NEW], min_length=3)
    assert answer.status == 200 and not answer.body["kept"]
    camera = page.station.camera("yard")
    assert (camera.min_length, [zone.name for zone in camera.zones]) == (3, ["path"])
    assert page.get("/api/session").body["keeps"] is False


def test_whoever_comes_later_is_told(kept, file):
    before = settings(kept)["revision"]
    assert change(kept, sensitivity=2).status == 200
    text = file.read_text()
    answer = change(kept, revision=before, sensitivity=3)
    assert (answer.status, answer.body["error"]) == (
        409, "somebody else has changed this camera meanwhile: load its settings again",
    )  # fmt: skip
    assert file.read_text() == text


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"zones": [NEW, NEW]}, "two zones are called path"),
        ({"zones": [NEW | {"polygon": [[0, 0]]}]}, "zone"),
        ({"zones": [NEW | {"polygon": [[0, 2], [0, 0], [1, 1]]}]}, "Expected `float` <= 1.0"),
        ({"zones": [NEW | {"kind": "all"}]}, "Invalid enum value 'all'"),
        ({"zones": [NEW | {"kind": "line", "loiter": 3}]}, "nothing loiters"),
        ({"zones": [NEW | {"name": ""}]}, "name"),
        ({"sensitivity": 100}, "Expected `float` <= 4.0"),
        ({"source": "file:///etc/passwd"}, "unknown field `source`"),
    ],
)
def test_what_does_not_do_changes_nothing(kept, file, values, told):
    answer = change(kept, **values)
    assert answer.status == 400 and told in answer.body["error"]
    assert file.read_text() == FILE


def test_a_file_that_was_changed_by_hand_meanwhile_keeps_that(kept, file):
    file.write_text(FILE.replace("max_age", "max_size = 1000000  # new\nmax_age"))
    assert change(kept, zones=[NEW]).status == 200
    assert "# new" in file.read_text() and kept.station.watch.retention.max_size == 1_000_000


def test_a_file_that_cannot_be_read_or_written_stays_and_is_told(kept, file):
    file.write_text("nonsense = [")
    answer = change(kept, zones=[NEW])
    assert answer.status == 409 and "is no TOML" in answer.body["error"]
    file.write_text(FILE.replace("max_age", "maximal_age"))
    answer = change(kept, zones=[NEW])
    assert answer.status == 409 and "is as it was: cameras.toml: retention" in answer.body["error"]
    assert "path" not in file.read_text()
    file.write_text(FILE.replace('"yard"', '"shed"'))
    assert "has no camera yard any more" in change(kept, zones=[NEW]).body["error"]


@pytest.mark.skipif(os.name == "nt", reason="links take rights there")
def test_a_file_behind_a_link_is_changed_where_it_is(serve, file, tmp_path):
    link = tmp_path / "link.toml"
    link.symlink_to(file)
    page = serve(configuration=link)
    assert change(page, zones=[NEW]).status == 200
    assert link.is_symlink() and "path" in file.read_text()


def test_hostile_names_are_texts_of_the_file():
    name = 'x"]\n[web]\nlisten = "0.0.0.0:1"'
    camera = Camera(name="yard", source="", zones=(Zone(name=name, polygon=((0, 0), (1, 0), (1, 1))),))
    import tomllib

    data = tomllib.loads(edited(FILE, camera))
    assert "web" not in data and data["cameras"][0]["zones"][0]["name"] == name
