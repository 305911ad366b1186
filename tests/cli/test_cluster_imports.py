"""What the commands of `bgsub cluster` import: nobody waits for a library that is not needed."""

import subprocess
import sys

import pytest

from tests.tables.files import values, write_csv

COMMANDS = {  # in an order in which each finds what it needs
    "fit": "fit t.csv --components 2 --scale --model m.bgsub --output labels.csv",
    "select": "select t.csv --components 1-2 --model best.bgsub",
    "predict": "predict m.bgsub t.csv --output p.csv",
    "score": "score m.bgsub t.csv --output s.csv",
    "sample": "sample m.bgsub -n 3 --output r.csv",
}
NOT_NEEDED = {"sklearn", "pandas", "matplotlib", "cv2", "av", "PIL", "dask"}
OF_THE_COMPILER = {"numba.np.arraymath", "scipy.linalg"}  # which code that was compiled earlier does without
PROGRAM = """
import sys
from bgsub.cli import main
for line in sys.argv[1:]:
    try:
        main(["cluster", *line.split()])
    except SystemExit as ended:
        assert not ended.code, line
    print("imported", *sys.modules)
"""


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """Of each command, after those before it, the modules that are imported when nothing is left to compile."""
    folder = tmp_path_factory.mktemp("imports")
    write_csv(folder / "t.csv", values())
    arguments = [sys.executable, "-c", PROGRAM, *(f"{command} --overwrite -q" for command in COMMANDS.values())]
    for _ in range(2):  # the first one may compile
        done = subprocess.run(arguments, capture_output=True, text=True, cwd=folder, timeout=300)
        assert done.returncode == 0, done.stderr
    lines = [set(line.split()[1:]) for line in done.stdout.splitlines() if line.startswith("imported ")]
    return dict(zip(COMMANDS, lines, strict=True))


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_on_tables_imports_what_it_does_not_need(imported, command):
    assert {"bgsub", "numpy", "numba", "pyarrow"} <= imported[command]
    assert not NOT_NEEDED & imported[command]
    assert not OF_THE_COMPILER & imported[command]
