"""A folder of files that workers write, one a part: it takes its place once all are written."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bgsub.errors import OutputError
from bgsub.jobs.staging import insist, store_answers
from bgsub.stores.addresses import is_stored
from bgsub.stores.store_paths import StorePath
from bgsub.tables.parquet_folder import UNFINISHED

_TRIES = 50  # to remove a folder, a tenth of a second apart
_AT_ONCE = 16  # files that a store moves: each takes a while
_LAST_LOOK = 0.5  # seconds after which what a worker was just putting is there


@contextlib.contextmanager
def whole_folder(folder: str) -> Iterator[Path]:
    """Lend a folder beside the one that is wanted, whose place it takes when the block has ended without an error.

    On a disk by a new name. On a store, where no folder has a name to change, its files are moved one by one, while
    `UNFINISHED` lies among them.

    Raises
    ------
    OutputError
        When it cannot be written.
    """
    if is_stored(folder):
        with _on_store(StorePath(folder)) as there:
            yield there
        return
    target = Path(folder).absolute()
    place = target.with_name(f".{target.name}-{secrets.token_hex(4)}")
    try:
        place.mkdir()
    except OSError as error:
        raise OutputError(f"cannot write {folder}: {error.strerror or error}; choose another place") from error
    try:
        yield place
        for left in place.glob(".*"):  # by a worker that was killed
            left.unlink(missing_ok=True)
        if target.is_dir() and not target.is_symlink():
            before = place.with_name(f"{place.name}-before")
            target.rename(before)
            place.rename(target)
            shutil.rmtree(before, ignore_errors=True)
        else:
            target.unlink(missing_ok=True)
            place.rename(target)
    finally:
        _remove(place)


def _remove(folder: Path) -> None:
    """Remove a folder in which tasks that nobody wants any more may be about to finish a file."""
    for _ in range(_TRIES):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.1)


# ---------------------------------------------------------------------------------------------------------- on a store


@contextlib.contextmanager
def _on_store(target: StorePath) -> Iterator[StorePath]:
    place = target.with_name(f".{target.name}-{secrets.token_hex(4)}")
    try:
        yield place
        _take_place(place, target)
    except BaseException:
        with contextlib.suppress(OSError, OutputError):
            if _emptied(place):
                time.sleep(_LAST_LOOK)
                _emptied(place)
        raise


def _take_place(place: StorePath, target: StorePath) -> None:
    """Move the files of one folder into another, in place of those that it has."""
    unfinished = target / UNFINISHED
    with store_answers(target):
        before = [target] if target.is_file() else list(target.files_below())
        first, *others = place.files_below()
    left = {path for path in before if path.name != UNFINISHED} - {target / part.name for part in (first, *others)}

    def copy(part: StorePath) -> None:
        insist(target, lambda: part.copy_to(target / part.name))

    def remove(path: StorePath) -> None:
        insist(target, path.remove)

    insist(target, lambda: unfinished.put_bytes(b""))
    try:
        copy(first)
    except OutputError:  # what was there still is
        with contextlib.suppress(OutputError):
            remove(unfinished)
        raise
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(copy, others))
        list(pool.map(remove, [*left, first, *others]))
    remove(unfinished)


def _emptied(place: StorePath) -> bool:
    """Remove the files of a folder; say whether there were any."""
    left = list(place.files_below())
    for file in left:
        file.remove()
    return bool(left)
