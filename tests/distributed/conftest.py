"""A cluster of processes, and of one whose scheduler is plain or encrypted, as small as can be."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import subprocess
import sys
from pathlib import Path

import dask.config
import pytest
from distributed import LocalCluster

ROOT = Path(__file__).parents[2]


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


class Started:
    """A scheduler and a worker as people start them, each a process of its own."""

    def __init__(self, port: int) -> None:
        self.address = f"tcp://127.0.0.1:{port}"
        self._port, self._processes = port, []

    def scheduler(self):
        self._last = self._start(
            "scheduler", "--host", "127.0.0.1", "--port", str(self._port), "--dashboard-address", "127.0.0.1:0"
        )

    def worker(self):
        self._start("worker", self.address, "--nthreads", "1", "--no-dashboard", "--no-nanny")

    def kill_scheduler(self):
        self._last.kill()
        self._last.wait()

    def _start(self, *words):
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        program = [sys.executable, "-m", "dask", *words]
        process = subprocess.Popen(program, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self._processes.append(process)
        return process

    def end(self):
        for process in self._processes:  # a worker whose scheduler is gone would try to tell it
            process.kill()
            process.wait()


@pytest.fixture
def started():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        cluster = Started(one.getsockname()[1])
    yield cluster
    cluster.end()
