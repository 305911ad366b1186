"""Extensions of what is read and what is written."""

from __future__ import annotations

from bgsub.formats import READABLE_IMAGES, READABLE_VIDEOS, WRITABLE_IMAGES, WRITABLE_VIDEOS


def test_what_is_written_can_be_read_again() -> None:
    assert set(WRITABLE_IMAGES) <= set(READABLE_IMAGES)
    assert set(WRITABLE_VIDEOS) <= set(READABLE_VIDEOS)


def test_no_extension_is_both_a_video_and_an_image() -> None:
    assert not set(READABLE_IMAGES) & set(READABLE_VIDEOS)


def test_extensions_are_written_as_they_are_compared() -> None:
    for suffix in (*READABLE_IMAGES, *READABLE_VIDEOS, *WRITABLE_IMAGES, *WRITABLE_VIDEOS):
        assert suffix.startswith(".")
        assert suffix == suffix.lower()
