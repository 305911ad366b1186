"""Whether scheduler and workers have what this process has: the same Python, the same bgsub."""

from __future__ import annotations

import functools
import hashlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from distributed import Client, get_worker

import bgsub
from bgsub.errors import ClusterError

Build = tuple[str, str]


@functools.cache
def build() -> Build:
    """Return the version of bgsub, and a digest of its source: of two copies between releases only this differs."""
    root = Path(bgsub.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes().replace(b"\r\n", b"\n"))
    return bgsub.__version__, digest.hexdigest()[:12]


def check_versions(client: Client) -> None:
    """Raise unless the scheduler and all workers have this process's Python and bgsub.

    Parameters
    ----------
    client : distributed.Client
        Of the cluster.

    Raises
    ------
    ClusterError
        One line that names the first that does not fit, and how many more there are.
    """
    told: Any = client.get_versions()
    pythons = {"the scheduler": told["scheduler"]} | {_worker(address): one for address, one in told["workers"].items()}
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    versions = {who: ".".join(one["packages"]["python"].split(".")[:2]) for who, one in pythons.items()}
    _refuse({who: f"Python {version}" for who, version in versions.items() if version != here}, f"Python {here}")
    ask = _question()
    builds = {"the scheduler": client.run_on_scheduler(ask)}
    builds |= {_worker(address): one for address, one in client.run(ask, on_error="return").items()}
    mine = build()
    _refuse({who: _in_words(one, mine) for who, one in builds.items() if one != mine}, f"bgsub {mine[0]}")


def check_here(mine: Build) -> None:
    """Raise ClusterError in the process of a worker that has another bgsub than the client's, which is given.

    A worker can join after `check_versions`, and would do some of the work in another way.
    """
    if build() != mine:
        _refuse({_worker(get_worker().address): _in_words(build(), mine)}, f"bgsub {mine[0]}")


def _refuse(others: Mapping[str, str], here: str) -> None:
    if others:
        who, has = next(iter(others.items()))
        more = f" (and {len(others) - 1} more like it)" if len(others) > 1 else ""
        raise ClusterError(f"{who}{more} has {has}, this process {here}; install the same there, and start it again")


def _worker(address: str) -> str:
    return f"the worker {address}"


def _in_words(theirs: Any, mine: Build) -> str:
    if not isinstance(theirs, tuple):
        return "no bgsub"
    return f"bgsub {theirs[0]}" if theirs[0] != mine[0] else f"bgsub {theirs[0]} with other code"


def _question() -> Callable[[], Any]:
    """Return a function that travels as code, not by its name: who has no bgsub, or an older one, answers too."""

    def ask() -> tuple[str, str] | None:
        try:
            import bgsub
        except ImportError:
            return None
        try:
            from bgsub.distributed.fitting_in import build
        except ImportError:
            return bgsub.__version__, ""
        return build()

    return ask
