"""Processes that are forked from one that began before."""

import os
from concurrent.futures import ProcessPoolExecutor

import pytest

from bgsub.motion import forerunner

pytestmark = pytest.mark.slow


def test_processes_have_the_environment_of_now(monkeypatch):
    """Credentials of a store may be set, and taken away, after a first scan."""
    seen = []
    for value in ("before", "after", None):
        if value is None:
            monkeypatch.delenv("BGSUB_TEST")
        else:
            monkeypatch.setenv("BGSUB_TEST", value)
        arguments = (dict(os.environ),)
        with ProcessPoolExecutor(1, forerunner.context(), forerunner.take_environment, arguments) as pool:
            seen.append(pool.submit(os.getenv, "BGSUB_TEST").result())
    assert seen == ["before", "after", None]
