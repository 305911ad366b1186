"""Whether the workers of a cluster see the files that this process names, and the folder that they shall write to."""

from __future__ import annotations

import os
import uuid
from collections.abc import Sequence
from pathlib import Path

from distributed import Client

from bgsub.errors import BgsubError, ClusterError, OutputError
from bgsub.stores.addresses import is_stored, reason_of, without_secrets
from bgsub.stores.store_paths import StorePath

MOST_FILES = 200
"""Files that are looked for on each machine, spread over all that there are: to look for every one takes long."""


def check_sight(client: Client, files: Sequence[str], folder: Path | None = None) -> None:
    """Raise unless the workers on each machine see the files as this process does, and can write to the folder.

    Parameters
    ----------
    client : distributed.Client
        Of the cluster.
    files : sequence of str
        Absolute names; addresses, as of stores, and what is not there here, are not looked for.
    folder : Path, optional
        Where workers write; it is there.

    Raises
    ------
    ClusterError
        One line that names the worker and the first file that it does not see.
    OutputError
        When this process itself cannot write to the folder.
    """
    local = [name for name in files if "://" not in name]
    step = -(-len(local) // MOST_FILES) or 1
    sizes = {name: size for name in local[::step] if (size := _size(name)) is not None}
    mark = None if folder is None or "://" in str(folder) else _marked(folder)
    try:
        told = client.run(_look, sizes, mark, workers=_one_a_machine(client))
    finally:
        if mark is not None:
            mark.unlink(missing_ok=True)
    for worker, wrong in told.items():
        if wrong is not None:
            raise ClusterError(
                f"the worker {worker} {wrong}; put it where all machines see it by the same name, as a shared folder "
                "is, or start workers where it is"
            )


def check_table(client: Client, paths: Sequence[str], folder: Path | None = None) -> None:
    """Raise unless the workers on each machine see a table's files, and can write to the folder, as `check_sight` does.

    Of those on a store the first is asked for: the library, and who may read, are the same for all.

    Parameters
    ----------
    client : distributed.Client
        Of the cluster.
    paths : sequence of str
        Files that this process sees: absolute names, or addresses on stores.
    folder : Path, optional
        Where workers write.

    Raises
    ------
    ClusterError, OutputError
        As `check_sight`.
    """
    files = list(dict.fromkeys(paths))
    check_sight(client, files, folder)
    stored = [name for name in files if is_stored(name)][:1]
    told = client.run(_ask, stored, workers=_one_a_machine(client)) if stored else {}
    for worker, wrong in told.items():
        if wrong is not None:
            raise ClusterError(
                f"the worker {worker} cannot read {without_secrets(stored[0])}: {wrong}; let it have the libraries "
                "that this process has, and credentials in its environment or configuration"
            )


def _ask(addresses: Sequence[str]) -> str | None:
    """Return why a worker cannot read something on a store."""
    try:
        for address in addresses:
            StorePath(address).stat()
    except (OSError, BgsubError) as error:
        return reason_of(error)
    return None


def _look(sizes: dict[str, int], mark: Path | None) -> str | None:
    """Return what is wrong as a worker sees it."""
    for name, size in sizes.items():
        theirs = _size(name)
        if theirs is None:
            return f"does not see {name}"
        if theirs != size:
            return f"sees another {name}, of {theirs} bytes, not {size}"
    if mark is not None and not mark.exists():
        return f"does not see the folder {mark.parent}"
    if mark is not None and not os.access(mark.parent, os.W_OK):
        return f"may not write to the folder {mark.parent}"
    return None


def _size(name: str) -> int | None:
    """Return the size of a file, 0 of a folder, None of what is not there or may not be read."""
    path = Path(name)
    try:
        if path.is_dir():
            return 0
        return path.stat().st_size if os.access(path, os.R_OK) else None
    except (OSError, ValueError):
        return None


def _marked(folder: Path) -> Path:
    """Return a new, empty file in a folder: another folder of the same name on another machine has none."""
    mark = folder / f".bgsub-{uuid.uuid4().hex}"
    try:
        mark.touch(exist_ok=False)
    except OSError as error:
        raise OutputError(
            f"cannot write to {folder}: {error.strerror or error}; check its permissions, or choose another folder"
        ) from error
    return mark


def _one_a_machine(client: Client) -> list[str]:
    """Return the address of one worker on each machine."""
    machines = {address.rpartition("://")[2].rpartition(":")[0]: address for address in client.nthreads()}
    return list(machines.values())
