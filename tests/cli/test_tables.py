"""Tables at every width: turned, in parts or as they are, and every cell whole."""

import re

import pytest

from bgsub.cli.tables import print_table


def shown(capsys, monkeypatch, width, headings, rows, **keywords):
    """The lines of a table on a terminal of so many columns; None is no terminal."""
    monkeypatch.setattr("bgsub.cli.tables._width", lambda to_stderr: width)
    print_table(headings, rows, **keywords)
    return capsys.readouterr().out.splitlines()


def table(columns, rows):
    headings = ["cluster", *(f"column {i}" for i in range(columns))]
    return headings, [[str(r), *(f"{r},{i:03}.50 ± {i}.25" for i in range(columns))] for r in range(rows)]


@pytest.mark.parametrize("width", [None, 40, 60, 80, 100, 200])
@pytest.mark.parametrize(("columns", "rows"), [(1, 1), (3, 2), (8, 3), (12, 3), (3, 30), (12, 40), (0, 3)])
def test_every_cell_is_whole_and_no_line_too_long(capsys, monkeypatch, width, columns, rows):
    headings, cells = table(columns, rows)
    lines = shown(capsys, monkeypatch, width, headings, cells)
    assert max(map(len, lines)) <= (width or 10_000)
    text = "\n".join(lines)
    for cell in [*headings, *(cell for row in cells for cell in row)]:
        assert re.search(rf"(^|\s){re.escape(cell)}(\s|$)", text, re.MULTILINE), cell


def test_what_fits_stays_as_it_is(capsys, monkeypatch):
    headings, cells = table(3, 2)
    as_it_is = shown(capsys, monkeypatch, None, headings, cells)
    assert shown(capsys, monkeypatch, max(map(len, as_it_is)), headings, cells) == as_it_is
    assert as_it_is[0].split("  ")[0] == "cluster" and len(as_it_is) == 3


def test_what_does_not_is_turned(capsys, monkeypatch):
    headings, cells = table(8, 2)
    lines = shown(capsys, monkeypatch, 80, headings, cells)
    assert [line.split("  ")[0] for line in lines] == headings
    assert lines[0].split() == ["cluster", "0", "1"]
    assert lines[3].split("  ")[0] == "column 2" and lines[3].endswith("0,002.50 ± 2.25  1,002.50 ± 2.25")


def test_parts_repeat_the_first_column(capsys, monkeypatch):
    headings, cells = table(8, 40)  # turned, it would be in more parts
    lines = shown(capsys, monkeypatch, 80, headings, cells)
    starts = [place for place, line in enumerate(lines) if line.startswith("cluster")]
    assert starts == [0, 42] and lines[41] == ""
    assert [line.split()[0] for line in lines[43:]] == [str(row) for row in range(40)]


def test_a_long_list_has_a_line_for_each_and_long_names_go_on_below(capsys, monkeypatch):
    headings = ["kind", "a heading that is much longer than there is any room for on this line", "stands out by"]
    rows = [["0", "1,234.5", "brightness +0.8, objects +2.5, foreground -1.25"], ["1", "7.25", "-"]]
    lines = shown(capsys, monkeypatch, 50, headings, rows)
    assert max(map(len, lines)) <= 50
    assert next(line for line in lines if "objects" in line).split() == ["objects", "+2.5,"]
    assert any("1,234.5" in line for line in lines)
    assert "".join(line[:26].strip() for line in lines).replace(" ", "").startswith("kindaheading")


def test_columns_are_left_out_in_turn_and_told(capsys, monkeypatch):
    headings, rows = ["sequence", "recall", "FPR", "FNR", "F"], [["dynamicBackground/fountain", *["0.1234"] * 4]]
    lines = shown(capsys, monkeypatch, 50, headings, rows, names=True, tall=True, spare=("FPR", "FNR"))
    assert lines[0].split() == ["sequence", "recall", "FNR", "F"]
    assert lines[-1] == "left out for want of room: FPR"
    assert "left out" not in "".join(shown(capsys, monkeypatch, 80, headings, rows, names=True, spare=("FPR",)))


def test_rules_and_names(capsys, monkeypatch):
    lines = shown(capsys, monkeypatch, None, ["a", "b"], [["x", "1"], ["mean", "2.5"]], names=True, rules=(-1, 0))
    assert lines == ["a       b", "---------", "x       1", "---------", "mean  2.5"]


def test_wide_characters_and_what_cannot_be_printed(capsys, monkeypatch):
    lines = shown(capsys, monkeypatch, None, ["名前", "b"], [["x", "1"], ["a\x1b[31m\n", "2"]])
    assert lines == ["         名前  b", "            x  1", "'a\\x1b[31m\\n'  2"]


def test_a_terminal_tells_its_width(tmp_path):
    import os
    import subprocess
    import sys

    pty = pytest.importorskip("pty")
    termios = pytest.importorskip("termios")
    leader, follower = pty.openpty()
    termios.tcsetwinsize(follower, (24, 60))
    program = (
        "from bgsub.cli.tables import print_table\n"
        "print_table(['name', *(f'column {i}' for i in range(9))], [['x', *['123.456'] * 9]])"
    )
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    done = subprocess.run([sys.executable, "-c", program], stdout=follower, env=environment, timeout=60, check=True)
    os.close(follower)
    text = re.sub(r"\x1b\[[0-9;?]*m", "", os.read(leader, 10_000).decode())
    os.close(leader)
    assert done.returncode == 0
    assert [line.split()[-1] for line in text.splitlines()] == ["x", *["123.456"] * 9]
