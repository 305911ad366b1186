"""`bgsub run --show`: the window sees what is written, and may end the run."""

import numpy as np
import pytest

from bgsub.video.sink import Sink
from tests.cli.clips import MOG2_RUN, assert_masks, files_in, masks_of, read_video


class FakeWindow(Sink):
    """A window whose user presses q at the fifth frame; like the real one it takes no notice of frames once closed."""

    last = None

    def __init__(self, title, background, info, on_region):
        FakeWindow.last = self
        self.info, self.on_region = info, on_region
        self.title, self.background = title, background
        self.masks, self.closings, self.quit_requested = [], 0, False

    def write(self, frame, mask):
        if self.closings:
            return
        self.masks.append(mask)
        self.backdrop = self.background()
        self.quit_requested = len(self.masks) >= 5

    def close(self):
        self.closings += 1


@pytest.fixture(autouse=True)
def window(monkeypatch):
    monkeypatch.setattr("bgsub.video.writers.window.Window", FakeWindow)


def test_q_ends_the_run_as_the_end_of_the_source_does(bgsub, clip, images):
    outcome = bgsub(*MOG2_RUN, clip, "--show", "--mask", "m.mkv")
    assert (outcome.code, outcome.err) == (0, "")
    window = FakeWindow.last
    assert window.title == "bgsub: clip"
    assert window.closings > 0
    count = len(read_video("m.mkv")[1])
    assert 5 <= count < 20  # a few were on their way
    assert outcome.out.startswith(f"done: {count} frames at ")
    assert_masks("m.mkv", masks_of(images[:count]))
    assert 5 <= len(window.masks) <= count
    assert np.array_equal(window.masks, masks_of(images[: len(window.masks)]))
    assert window.backdrop.shape == images[0].shape


def test_what_is_marked_is_printed_as_it_is_typed(bgsub, clip, monkeypatch):
    monkeypatch.setattr(FakeWindow, "write", lambda self, frame, mask: frame.index or self.on_region("1,2,30,40"))
    outcome = bgsub(*MOG2_RUN, clip, "--show", "--scale", "0.5")
    assert outcome.err == "--region 1,2,30,40\n"
    assert FakeWindow.last.info.source_size is not None


def test_what_is_only_watched_is_not_written(bgsub, clip, workplace):
    outcome = bgsub(*MOG2_RUN, clip, "--show")
    assert outcome.code == 0
    assert "wrote" not in outcome.out
    assert files_in(workplace) == []
