"""The cache of kernels: kept between processes, and forgotten when the vocabulary of vectors changes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import bgsub
from bgsub.background.mog2 import kernels  # noqa: F401  (registers its kernels)
from bgsub.simd import compiling

pytestmark = pytest.mark.slow

KERNEL = """
from bgsub.simd import kernels_of, rows

kernel = kernels_of(__name__)

@kernel
def double(array):
    vectors = rows(array, 16)
    for i in range(len(array)):
        vectors[i] = vectors[i] + vectors[i]


@kernel
def nothing(array):
    pass
"""

PROGRAM = """
import json, logging, sys
import numpy as np
logging.basicConfig(level=logging.INFO, format="%(name)s %(message)s", stream=sys.stderr)
from bgsub import compilation, tiny
array = np.arange(32, dtype=np.float32).reshape(2, 16)
tiny.double(array)
tiny.nothing(array)
stats = tiny.double.stats
print(json.dumps({
    "file": tiny.__file__,
    "right": bool((array.ravel() == 2 * np.arange(32)).all()),
    "seconds": compilation.seconds() > 0,
    "hits": sum(stats.cache_hits.values()),
    "misses": sum(stats.cache_misses.values()),
}))
"""


def run(folder: Path, before: str = "") -> tuple[dict, str]:
    environment = {**os.environ, "PYTHONPATH": str(folder), "NUMBA_CACHE_DIR": str(folder / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", before + PROGRAM],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def test_kernels_are_compiled_once_and_anew_when_the_vocabulary_changes(tmp_path):
    package = tmp_path / "bgsub"
    shutil.copytree(Path(bgsub.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "tiny.py").write_text(KERNEL)
    compiled = {"file": str(package / "tiny.py"), "right": True, "seconds": True, "hits": 0, "misses": 1}
    cached = {**compiled, "seconds": False, "hits": 1, "misses": 0}
    announcement = "bgsub.simd.compiling preparing for this processor, once (a few seconds)\n"

    result, log = run(tmp_path)
    assert result == compiled
    assert log == announcement  # of both kernels

    result, log = run(tmp_path)
    assert result == cached
    assert log == ""

    with (package / "simd" / "types.py").open("a") as file:
        file.write("# the same vectors, other source\n")
    result, log = run(tmp_path)
    assert result == compiled
    assert log == announcement


@pytest.mark.parametrize(("damage", "content"), [("nbi", b""), ("nbc", b"\x80\x05what a power cut left")])
def test_a_damaged_cache_is_compiled_anew_without_a_word_of_it(damage, content, tmp_path):
    shutil.copytree(Path(bgsub.__file__).parent, tmp_path / "bgsub", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "bgsub" / "tiny.py").write_text(KERNEL)
    run(tmp_path)
    damaged = list((tmp_path / "cache").rglob(f"tiny.*.{damage}"))
    assert len(damaged) == 2
    for file in damaged:
        file.write_bytes(content)
    result, log = run(tmp_path)
    assert (result["right"], result["misses"]) == (True, 1)
    assert log.startswith("bgsub.simd.compiling preparing for this processor, once")
    assert run(tmp_path)[0]["hits"] == 1


def test_a_full_disk_costs_the_cache_and_says_so_once(tmp_path):
    pytest.importorskip("resource")
    shutil.copytree(Path(bgsub.__file__).parent, tmp_path / "bgsub", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "bgsub" / "tiny.py").write_text(KERNEL)
    result, log = run(tmp_path, before="import resource as r; r.setrlimit(r.RLIMIT_FSIZE, (1000, 1000))\n")
    assert (result["right"], result["misses"]) == (True, 1)
    announced, told = log.splitlines()
    assert announced == "bgsub.simd.compiling preparing for this processor, once (a few seconds)"
    assert told.startswith("bgsub.simd.internals compiled code cannot be kept in ")
    assert told.endswith(
        "(File too large), so it is compiled again at each start; set NUMBA_CACHE_DIR to a folder with room for it"
    )


def test_where_nothing_can_be_written_each_start_compiles_and_says_so(tmp_path):
    """A container whose files are read-only, without a home: Numba finds no place for a cache there."""
    shutil.copytree(Path(bgsub.__file__).parent, tmp_path / "bgsub", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "bgsub" / "tiny.py").write_text(KERNEL)
    result, log = run(
        tmp_path, before="import numba.core.caching as c; c.FunctionCache._impl_class._locator_classes = []\n"
    )
    assert (result["right"], result["seconds"], result["hits"]) == (True, True, 0)
    assert log == (
        "bgsub.simd.compiling preparing for this processor (a few seconds), at each start since no folder can be "
        "written that would keep it; set NUMBA_CACHE_DIR to one\n"
    )


def test_one_process_compiles_a_kernel_at_a_time():
    fcntl = pytest.importorskip("fcntl")
    dispatcher = compiling._kernels[0]
    started = SimpleNamespace(data={"dispatcher": dispatcher})
    attendant = compiling._Attendant()
    with Path(dispatcher.py_func.__code__.co_filename).open("rb") as other:
        attendant.on_start(started)
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        attendant.on_end(started)
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.parametrize(("handled", "level", "before"), [(True, "INFO", ""), (False, "WARNING", "bgsub: ")])
def test_python_says_that_it_compiles_where_nobody_handles_logs(handled, level, before, monkeypatch, caplog):
    """From a warning on, Python prints what has no handler; once for all kernels."""
    monkeypatch.setattr(compiling.log, "hasHandlers", lambda: handled)
    attendant = compiling._Attendant()
    with caplog.at_level("INFO", compiling.log.name):
        for dispatcher in compiling._kernels[:2]:
            attendant.on_start(SimpleNamespace(data={"dispatcher": dispatcher}))
            attendant.on_end(SimpleNamespace(data={"dispatcher": dispatcher}))
    told = [(record.levelname, record.getMessage()) for record in caplog.records if record.levelname != "DEBUG"]
    assert told == [(level, f"{before}preparing for this processor, once (a few seconds)")]
