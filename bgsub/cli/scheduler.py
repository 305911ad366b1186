"""The options of every command that works on a Dask cluster, and the way to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import click

from bgsub.cli.help import section
from bgsub.cli.options import FilePath
from bgsub.extras import require

if TYPE_CHECKING:
    from bgsub.distributed.connecting import Client
    from bgsub.distributed.spreading import Sight

_cluster = section("Cluster")
_FILES = {
    "ca": "Certificate of the authority that signed the cluster's, for tls://; default Dask's configuration.",
    "cert": "Certificate of this process.",
    "key": "Its key.",
}


def scheduler_options(command: Callable) -> Callable:
    """Give a command ``--scheduler``, and ``--tls-ca``, ``--tls-cert`` and ``--tls-key``."""
    for name, text in reversed(_FILES.items()):
        command = _cluster(f"--tls-{name}", type=FilePath(), metavar="FILE", help=text, rare=True)(command)
    return _cluster(
        "--scheduler",
        metavar="ADDRESS",
        callback=_needs_dask,
        help="Work on a Dask cluster: tcp://HOST:PORT, tls://..., or local: processes of this machine.",
    )(command)


def _needs_dask(_context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """Say what to install before any work is done; refuse certificates that nothing asks for."""
    if value is not None:
        require("dask", option.opts[0])
    return value


def connected(
    options: Mapping[str, Any], workers: int | None = None, threads: int | None = None
) -> AbstractContextManager[Client]:
    """Return what connects to the cluster that the options name, as `bgsub.distributed.connecting.connected` does.

    Parameters
    ----------
    options : mapping
        Of the command: ``scheduler``, which is not None, ``tls_ca``, ``tls_cert``, ``tls_key``.
    workers, threads : int, optional
        Processes, and threads of each, where they are of this machine.

    Raises
    ------
    ClusterError
        When it is entered and there is no such cluster, or it does not fit this process.
    """
    from bgsub.distributed import connecting

    certificates = connecting.Certificates(*(options[f"tls_{name}"] for name in _FILES))
    return connecting.connected(options["scheduler"], workers=workers, threads=threads or 1, certificates=certificates)


_MOST_LINES = 12


def by_worker(sights: Sequence[Sight]) -> list[str]:
    """Return a line for each worker with what it is doing, as many as have room on a screen.

    Parameters
    ----------
    sights : sequence of Sight
        What is in work.
    """
    workers: dict[str, list[str]] = {}
    for sight in sorted(sights, key=lambda sight: sight.worker):
        share = f"{sight.read / sight.total:.0%}" if sight.total else f"{sight.read:,} frames"
        name = f"worker {sight.worker}" if sight.worker.isdecimal() else sight.worker.rpartition("://")[2]
        workers.setdefault(name, []).append(f"{sight.errand.name} {share}")
    lines = [f"  {worker}: {', '.join(what)}" for worker, what in workers.items()]
    if len(lines) > _MOST_LINES:
        lines[_MOST_LINES - 1 :] = [f"  and {len(lines) - _MOST_LINES + 1} workers more"]
    return lines
