"""What the commands of `bgsub cluster` write: checked before anything is read; put on a store when it is whole."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from bgsub.errors import OutputError, ParameterError
from bgsub.outputs import check_output
from bgsub.stores.addresses import is_stored, without_secrets

# `jobs`, which knows how files are put on stores, takes long to import, and few need it.


def check_outputs(paths: Sequence[tuple[str | None, Sequence[str]]], sources: Sequence[str], overwrite: bool) -> None:
    """Raise unless all outputs can be written and differ from each other and from what is read.

    Parameters
    ----------
    paths : sequence of (str or None, sequence of str)
        Each output that was asked for ("-" is standard output), and the extensions that it may have.
    sources : sequence of str
        What is read.
    overwrite : bool
        Let existing files be replaced.

    Raises
    ------
    OutputError, ParameterError
        One line that says which, what is wrong and what to do.
    """
    seen = set()
    for path, suffixes in paths:
        if path is None or path == "-":
            continue
        if is_stored(path):
            _check_stored(path, suffixes, sources, overwrite)
        else:
            for source in sources:
                check_output(path, overwrite=overwrite, source=source, suffixes=suffixes)
        name = path if is_stored(path) else str(Path(path).resolve())
        if name in seen:
            raise ParameterError(f"two outputs are named {as_told(path)}: give each a name of its own")
        seen.add(name)


def _check_stored(path: str, suffixes: Sequence[str], sources: Sequence[str], overwrite: bool) -> None:
    from bgsub.jobs.staging import check_place

    if path in sources:
        raise OutputError(f"cannot write {as_told(path)}: it is the input; choose another name")
    check_place(path, overwrite=overwrite, suffixes=suffixes)


def at_place(path: str | None) -> AbstractContextManager[str]:
    """Lend the name under which an output is written: of a file here that is put on its store at the end of the block.

    Raises
    ------
    OutputError
        When the store does not take it; the file stays here then.
    """
    if path is None or not is_stored(path):
        return contextlib.nullcontext(path or "")
    from bgsub.jobs.staging import written_to

    return written_to(path)


def as_told(path: str) -> str:
    """Return the name of an input or output as it can be told: without secrets."""
    return without_secrets(path) if is_stored(path) else path
