"""Files that go to a store: written on this machine, and put there when they are whole."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bgsub.errors import OutputError
from bgsub.stores.addresses import ADVICE, reason_of
from bgsub.stores.store_paths import StorePath


@contextlib.contextmanager
def put_when_whole(target: StorePath) -> Iterator[Path]:
    """Lend the name of an empty temporary file that is put on a store at the end of the block.

    Parameters
    ----------
    target : StorePath
        Where it goes to.

    Raises
    ------
    OutputError
        When the store does not take it; the file is gone then.
    """
    with tempfile.TemporaryDirectory(prefix="bgsub-") as folder:
        here = Path(folder) / target.name
        here.touch()
        yield here
        try:
            target.put(here)
        except OSError as error:
            raise OutputError(f"cannot write {target.shown}: {reason_of(error)}; {ADVICE}") from error
