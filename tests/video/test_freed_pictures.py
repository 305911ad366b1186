"""Memory of decoded pictures is free once nobody has them, without waiting for Python's collector."""

import gc
from pathlib import Path

import av
import pytest

from bgsub.video.live.source import LiveSource
from bgsub.video.opening import open_source

STREET = Path(__file__).parents[2] / "sample_videos" / "street.mp4"
MOST = 40  # that a decoder and those who read ahead hold


@pytest.fixture
def uncollected():
    """Counts pictures that are still there, while nobody collects."""
    gc.collect()
    gc.disable()
    yield lambda: sum(issubclass(type(one), av.VideoFrame) for one in gc.get_objects())  # of proxies, too
    gc.enable()


def test_pictures_of_a_file_are_freed_at_once(uncollected):
    with open_source(STREET) as source:
        for number, _ in enumerate(source):
            if number == 120:
                break
        assert uncollected() < MOST


def test_pictures_of_a_camera_are_freed_at_once(uncollected):
    with LiveSource(STREET, loop=True, shrink=1) as source:
        seen = 0
        for picture in source:
            if picture is None:
                continue
            seen += 1
            picture.color(320)
            del picture
            if seen == 80:
                break
        assert uncollected() < MOST
