"""What several tests of the models need."""

from __future__ import annotations

import pytest

from bgsub.background import workers
from bgsub.simd import LANES


@pytest.fixture
def every_tile_worth_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let even tiny frames be worked on by as many threads as a model may use."""
    monkeypatch.setattr(workers, "_PIXELS_PER_THREAD", LANES)
