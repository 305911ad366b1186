"""The store of rows: what goes in comes out, writable, and a full disk is one line."""

import errno

import numpy as np
import pytest

from bgsub.errors import OutputError
from bgsub.tables.storage import RowStore


def test_rows_come_back_in_order_and_can_be_changed():
    blocks = [np.arange(6.0).reshape(2, 3), np.empty((0, 3)), np.asfortranarray(np.arange(12.0).reshape(4, 3))]
    with RowStore(3) as store:
        for block in blocks:
            store.append(block)
        matrix = store.matrix()
        assert np.array_equal(matrix, np.vstack(blocks))
        matrix[:] *= 2
        assert np.array_equal(store.matrix(), 2 * np.vstack(blocks))


def test_no_rows():
    with RowStore(3) as store:
        assert store.matrix().shape == (0, 3)


def test_a_full_disk(monkeypatch):
    class Full:
        def write(self, data):
            raise OSError(errno.ENOSPC, "No space left on device")

        def close(self):
            pass

    monkeypatch.setattr("tempfile.TemporaryFile", lambda prefix: Full())
    message = "cannot keep the rows in .*: No space left on device; make room, or let TMPDIR name a folder on a larger"
    with pytest.raises(OutputError, match=message), RowStore(1) as store:
        store.append(np.zeros((1, 1)))
