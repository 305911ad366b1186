"""Outputs on a store: written on this machine, and put there when they are whole.

Few stores take a file that is written bit by bit, and none lets the head of one be written at its end, as videos need.
So whatever ends a run early leaves nothing half on a store.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bgsub.errors import OutputError, ParameterError
from bgsub.jobs.job import Outputs
from bgsub.outputs import PathLike, check_output, is_folder
from bgsub.stores.addresses import ADVICE, is_stored, reason_of
from bgsub.stores.store_paths import StorePath, shown
from bgsub.stores.stored_file import WAITS

logger = logging.getLogger(__name__)

_BUCKETS = ("s3://", "s3a://", "gs://", "gcs://", "az://", "abfs://", "oss://")


def check_place(
    path: PathLike, *, overwrite: bool = False, suffixes: Sequence[str] | None = None, folder: bool = False
) -> None:
    """Check an output path as `check_output` does, on a store or on this machine.

    Raises
    ------
    OutputError
        When it cannot be written, or exists and may not be replaced.
    """
    known: dict[str, Any] = {} if suffixes is None else {"suffixes": suffixes}
    if not is_stored(path):
        check_output(path, overwrite=overwrite, folder=folder, **known)
        return
    target = StorePath(path)
    with Stage() as stage:  # what is wrong with the name itself
        check_output(stage.local(path), overwrite=True, folder=folder, **known)
    with store_answers(target):
        if not overwrite and (target.is_dir() if is_folder(path) else target.exists()):
            raise OutputError(f"{shown(target)} exists; pass --overwrite or choose another name")
    check_bucket(target)


def check_bucket(place: Path) -> None:
    """Raise `OutputError` where a store has no such bucket, or does not answer; other paths pass."""
    if not str(place).startswith(_BUCKETS):
        return
    bucket = StorePath(*place.parts[:2])
    with store_answers(place):
        if not bucket.exists():
            raise OutputError(f"cannot write {shown(place)}: there is no {shown(bucket)}; make it or choose another")


@contextlib.contextmanager
def store_answers(place: Path) -> Iterator[None]:
    """Make an `OutputError` of what the store of a place to write to says, while the block runs."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"cannot write {shown(place)}: {reason_of(error)}; {ADVICE}") from error


class Stage:
    """A folder of this machine for files that go to a store; a context manager, which removes it.

    Where files could not be put, they stay in it, and the error says where.
    """

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._places: dict[Path, StorePath] = {}
        self._stays = False

    @property
    def is_used(self) -> bool:
        """Whether anything goes to a store."""
        return bool(self._places)

    def local(self, address: PathLike) -> str:
        """Return where to write what goes to an address; it has the same name."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="bgsub-"))
        target = StorePath(address)
        part = self._folder / str(len(self._places))
        part.mkdir()
        here = part / target.name
        self._places[here] = target
        if not str(address).endswith("/"):
            return str(here)
        here.mkdir()
        return f"{here}{os.sep}"

    def local_folder(self, folder: StorePath) -> Path:
        """Return a folder, to write in what goes to a folder on a store."""
        return Path(self.local(f"{folder}/"))

    def place_of(self, here: PathLike) -> Path:
        """Return where a file, or one in a folder, goes to; itself where it stays."""
        path = Path(here)
        for above in (path, *path.parents):
            if above in self._places:
                return self._places[above] / path.relative_to(above)
        return path

    def told(self, text: str) -> str:
        """Return a message with addresses in place of names in the folder."""
        for here, target in self._places.items():
            text = text.replace(str(here), shown(target))
        return text

    def put(self, path: PathLike) -> Path:
        """Put a file, or what a folder holds, where it goes to, and return that place.

        Raises
        ------
        OutputError
            When the store does not take it; the file stays then.
        """
        here, target = Path(path), self.place_of(path)
        if not isinstance(target, StorePath):
            return target
        files = [file for file in sorted(here.rglob("*")) if file.is_file()] if here.is_dir() else [here]
        stays, self._stays = self._stays, True
        for file in files:
            try:
                put_file(file, target / file.relative_to(here))
            except OutputError as error:
                raise OutputError(f"{error}; it lies in {here.parent} now") from error
        self._stays = stays
        return target

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._folder is not None and not self._stays:
            shutil.rmtree(self._folder, ignore_errors=True)
        if isinstance(error, OutputError) and self.told(str(error)) != str(error):
            raise OutputError(self.told(str(error))) from error


def staged(outputs: Outputs, stage: Stage) -> Outputs:
    """Return outputs with names on this machine in place of addresses on stores, which are checked first.

    Raises
    ------
    OutputError
        When one cannot be written, or exists and may not be replaced.
    ParameterError
        When two have the same address.
    """
    named = {name: getattr(outputs, name) for name in ("mask", "overlay", "foreground", "stats", "background")}
    named["save_model"] = outputs.save_model
    stored = {name: path for name, path in named.items() if path and is_stored(path)}
    for name, path in stored.items():
        if list(stored.values()).count(path) > 1:
            raise ParameterError(f"two outputs are named {path}: give each a name of its own")
        folder = name in ("mask", "foreground")
        check_place(path, overwrite=outputs.overwrite, suffixes=(Path(path).suffix,), folder=folder)
    local: dict[str, Any] = {name: stage.local(path) for name, path in stored.items()}
    return replace(outputs, **local)


def put_file(file: Path, target: StorePath) -> None:
    """Put a file on a store; where that fails, after a while again.

    Raises
    ------
    OutputError
        When the store does not take it.
    """
    insist(target, lambda: target.put(file))


def insist(target: StorePath, do: Callable[[], None]) -> None:
    """Do what changes something on a store; where that fails, after a while again.

    Raises
    ------
    OutputError
        When the store does not take it.
    """
    for wait in (*WAITS, None):
        try:
            do()
            return
        except OSError as error:
            if wait is None or isinstance(error, (PermissionError, FileNotFoundError)):
                raise OutputError(f"cannot write {shown(target)}: {reason_of(error)}; {ADVICE}") from error
            logger.warning("%s: the store fails (%s); asked again in %g s", shown(target), reason_of(error), wait)
            time.sleep(wait)


@contextlib.contextmanager
def written_to(path: PathLike) -> Iterator[str]:
    """Lend a name on this machine for a file that is put where it goes to at the end of the block; a path stays itself.

    Raises
    ------
    OutputError
        When the store does not take it.
    """
    if not is_stored(path):
        yield os.fspath(path)
        return
    with Stage() as stage:
        here = stage.local(path)
        yield here
        if Path(here).exists():
            stage.put(here)
