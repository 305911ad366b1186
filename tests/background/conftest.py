"""What several tests of the models need."""

from __future__ import annotations

import pytest

from bgsub import threads as pool
from bgsub.simd import LANES


@pytest.fixture
def every_tile_worth_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let even tiny frames be worked on by as many threads as a model may use."""
    monkeypatch.setattr(pool, "_PIXELS_PER_THREAD", LANES)
