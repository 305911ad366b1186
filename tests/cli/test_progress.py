"""The progress bar: what it shows, and where it must not appear."""

import io
import os
import re
import subprocess
import sys
import threading

import pytest

from bgsub.cli.progress import counting_bar, progress_bar, waiting
from bgsub.pipeline import Tally


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def open_terminal(monkeypatch):
    """Make stderr a terminal, return what it shows; stdout is none. To be called in the test: pytest sets both."""

    def make():
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "120")
        stream = Terminal()
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setattr(sys, "stdout", io.StringIO())
        return stream

    return make


def plain(text):
    """Text without the terminal's control sequences."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def test_frames_rate_and_moving_share(open_terminal):
    terminal = open_terminal()
    with progress_bar("masking", 60, False) as update:
        update(Tally(read=10, written=10, foreground=5.0, elapsed=1.0))
        update(Tally(read=30, written=30, foreground=7.0, elapsed=2.0))
    last = plain(terminal.getvalue()).strip().splitlines()[-1]
    assert "masking" in last
    assert "30/60" in last
    assert "15 frames/s" in last
    assert "10.0% moving" in last  # of the 20 frames since the last update


def test_nobody_knows_the_number_of_frames(open_terminal):
    terminal = open_terminal()
    with progress_bar("masking", None, False) as update:
        update(Tally(read=30, elapsed=1.0))
    assert "30/?" in plain(terminal.getvalue())


def test_updates_are_spaced(open_terminal):
    terminal = open_terminal()
    with progress_bar("masking", 60, False) as update:
        update(Tally(read=20, elapsed=1.0))
        update(Tally(read=21, elapsed=1.01))
    shown = plain(terminal.getvalue())
    assert "20/60" in shown
    assert "21/60" not in shown


def test_what_goes_to_a_file_on_stdout_gets_there(open_terminal):
    terminal = open_terminal()
    with progress_bar("masking", 60, False):
        print("a line of the table")
    assert sys.stdout.getvalue() == "a line of the table\n"
    assert "table" not in terminal.getvalue()


def test_no_bar_when_quiet_or_where_stderr_is_no_terminal(open_terminal, monkeypatch):
    terminal = open_terminal()
    with progress_bar("masking", 60, True) as update:
        assert update is None
    assert terminal.getvalue() == ""
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress_bar("masking", 60, False) as update:
        assert update is None
    assert sys.stderr.getvalue() == ""


def test_rows_are_counted_with_their_unit(open_terminal):
    terminal = open_terminal()
    with counting_bar("reading", 4000, False, "rows") as show:
        show(1000)
        show(3000, "a remark")
    last = plain(terminal.getvalue()).strip().splitlines()[-1]
    assert "reading" in last and "3,000/4,000 rows" in last and "a remark" in last


def test_what_cannot_be_counted_has_a_title(open_terminal):
    terminal = open_terminal()
    with waiting("fitting", False):
        pass
    assert "fitting" in plain(terminal.getvalue())


@pytest.mark.parametrize("bar", [lambda quiet: counting_bar("x", 1, quiet, "rows"), lambda quiet: waiting("x", quiet)])
def test_every_bar_keeps_quiet_alike(open_terminal, monkeypatch, bar):
    terminal = open_terminal()
    with bar(True) as show:
        assert show is None
    assert terminal.getvalue() == ""
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with bar(False) as show:
        assert show is None
    assert sys.stderr.getvalue() == ""


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are of Unix")
def test_on_a_terminal(clip, workplace):
    import pty

    leader, follower = pty.openpty()
    shown = []

    def watch():
        with os.fdopen(leader, "rb", buffering=0) as screen:
            try:
                while chunk := screen.read(4096):
                    shown.append(chunk)
            except OSError:  # the other side was closed
                pass

    watcher = threading.Thread(target=watch)
    with (workplace / "table.csv").open("wb") as table:
        process = subprocess.Popen(
            [sys.executable, "-m", "bgsub", "run", clip, "--two-pass", "--stats", "-"],
            stdout=table,
            stderr=follower,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
        )
        os.close(follower)
        watcher.start()
        assert process.wait(timeout=60) == 0
        watcher.join(timeout=10)
    screen = plain(b"".join(shown).decode())
    assert re.search(r"learning .* \d+/30 .*frames/s", screen)
    assert re.search(r"masking .* \d+/30 .*frames/s .*% moving", screen)
    assert screen.rstrip().splitlines()[-1].startswith("done: 30 frames at ")
    assert (workplace / "table.csv").read_bytes().count(b"\n") == 31


@pytest.mark.parametrize(
    ("width", "seen"),
    [
        (120, r"masking ━+.* 1,300/2,000 ETA \S+ 143 frames/s  2\.3% moving$"),
        (80, r"masking ━+.* 1,300/2,000 ETA \S+ 143 frames/s  2\.3% moving$"),
        (64, r"masking 1,300/2,000 ETA \S+ 143 frames/s  2\.3% moving$"),  # the bar goes first
        (50, r"masking 1,300/2,000 ETA \S+ 143 frames/s$"),
        (40, r"masking 1,300/2,000 ETA \S+$"),
    ],
)
def test_what_a_narrow_terminal_shows(open_terminal, monkeypatch, width, seen):
    terminal = open_terminal()
    monkeypatch.setenv("COLUMNS", str(width))
    with progress_bar("masking", 2000, False) as update:
        update(Tally(read=1300, written=1300, foreground=0.023 * 1300, elapsed=1300 / 143))
    lines = [line.strip() for line in plain(terminal.getvalue()).replace("\r", "\n").splitlines()]
    assert any(re.search(seen, line) for line in lines), lines
    assert max(map(len, lines)) <= width


def test_a_title_is_shown_as_it_is(open_terminal):
    terminal = open_terminal()
    with counting_bar("1 of 2: [red]door[/red].mp4, masking", 10, False, "") as show:
        show(5, "[b]5[/b]")
    assert "[red]door[/red].mp4" in plain(terminal.getvalue()) and "[b]5[/b]" in plain(terminal.getvalue())
