"""Cameras begin to look one after another."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bgsub.live.looking.first_look import FirstLook
from bgsub.live.messages import EventClosed, Status
from tests.live.played import of, play
from tests.live.scenes import pictures, walk

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there nobody waits")


def test_one_looks_at_a_time_and_the_next_after_some_pictures(tmp_path: Path) -> None:
    first, second = (FirstLook(tmp_path / "models" / "turn") for _ in range(2))
    assert first.is_mine() and not second.is_mine()
    for _ in range(3):
        assert first.is_mine() and not second.is_mine()
        first.looked()
    assert first.is_mine() and second.is_mine()  # the first needs no turn any more
    third = FirstLook(tmp_path / "models" / "turn")
    assert not third.is_mine()


def test_who_dies_gives_the_turn_back(tmp_path: Path) -> None:
    first, second = (FirstLook(tmp_path / "turn") for _ in range(2))
    assert first.is_mine() and not second.is_mine()
    first._file.close()  # as the system does
    assert second.is_mine()


def test_where_no_file_can_be_nobody_waits(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert all(FirstLook(tmp_path / "file" / "turn").is_mine() for _ in range(2))


def test_a_camera_that_waits_for_its_turn_tells_how_it_is_and_looks_then(tmp_path: Path) -> None:
    other = FirstLook(tmp_path / "state" / "models" / ".first-look")
    assert other.is_mine()

    def give_way(loop, source):
        made = source._pictures

        def watched():
            for picture in made:
                if picture.time >= 5:
                    other.looked()
                yield picture

        source._pictures = watched()

    told, *_ = play(tmp_path, pictures(18, walk(8)), prepare=give_way)
    assert len(of(told, EventClosed)) == 1
    early = [status for status in of(told, Status) if status.width == 0]
    assert len(early) >= 4 and all(status.frames == 0 for status in early)
