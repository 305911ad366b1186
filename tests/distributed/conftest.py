"""A cluster of processes, and of one whose scheduler is plain or encrypted, as small as can be."""

from __future__ import annotations

import contextlib
import logging

import dask.config
import pytest
from distributed import LocalCluster


@contextlib.contextmanager
def small_cluster(workers=1, threads=1, **settings):
    """A scheduler with its workers, in processes of their own, on loopback."""
    made = {"n_workers": workers, "threads_per_worker": threads, "processes": True, **settings}
    quiet = {"dashboard_address": "127.0.0.1:0", "silence_logs": logging.CRITICAL}
    # On a busy machine a worker that was killed is long in coming back.
    with dask.config.set({"distributed.deploy.lost-worker-timeout": "1 day"}), LocalCluster(**made, **quiet) as cluster:
        yield cluster


@pytest.fixture(scope="package")
def cluster():
    """Two workers of one thread each, for all tests that leave it as it was."""
    with small_cluster(2) as cluster:
        yield cluster


@pytest.fixture(scope="package")
def address(cluster):
    return cluster.scheduler_address


@pytest.fixture
def logged():
    """What bgsub logs from a warning on; pytest's own handlers fall silent with those of Dask."""
    records: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record):
            records.append(f"{record.levelname}: {record.getMessage()}")

    handler = Kept(logging.WARNING)
    logging.getLogger("bgsub").addHandler(handler)
    yield records
    logging.getLogger("bgsub").removeHandler(handler)
