"""Fixtures of the tests of sources."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture
def footage() -> Path:
    """Folder of real footage; the test is skipped without it."""
    folder = os.environ.get("BGSUB_DATA")
    if not folder:
        pytest.skip("set BGSUB_DATA to the folder of real footage to run this test")
    return Path(folder)
