"""Which file beside another is its clip, and which its ground truth."""

from __future__ import annotations

from pathlib import Path

from bgsub.evaluation.clips import clip_beside, truth_beside


def test_of_several_clips_the_choice_is_always_the_same(tmp_path: Path) -> None:
    for suffix in (".wmv", ".mov", ".avi", ".webm"):
        (tmp_path / f"street{suffix}").touch()
        (tmp_path / f"street.truth{suffix}").touch()
    assert clip_beside(tmp_path / "street.truth.mkv") == tmp_path / "street.avi"
    assert truth_beside(tmp_path / "street.mp4") == tmp_path / "street.truth.avi"
    (tmp_path / "street.mp4").touch()
    (tmp_path / "street.truth.mkv").touch()
    assert clip_beside(tmp_path / "street.truth.mkv") == tmp_path / "street.mp4"
    assert truth_beside(tmp_path / "street.mp4") == tmp_path / "street.truth.mkv"
