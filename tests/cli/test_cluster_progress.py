"""Progress of `bgsub cluster`: on stderr where that is a terminal, nowhere else."""

import io
import re
import sys

from bgsub.cli.cluster.options import row_progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def shown(monkeypatch, stream, quiet=False):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(sys, "stderr", stream)
    with row_progress("reading", 4000, quiet) as on_rows:
        if on_rows is not None:
            on_rows(1000)
            on_rows(3000)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())


def test_rows_are_shown_on_a_terminal(monkeypatch):
    text = shown(monkeypatch, Terminal())
    assert "reading" in text and "3,000 rows" in text


def test_nothing_elsewhere(monkeypatch):
    assert shown(monkeypatch, io.StringIO()) == ""
    assert shown(monkeypatch, Terminal(), quiet=True) == ""
