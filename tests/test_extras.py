"""What is installed on demand: masks do without it, and whoever misses it is told in one line what to type."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from bgsub.cli import main
from bgsub.errors import BgsubError, MissingExtraError
from bgsub.extras import EXTRAS, explained, require

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ADVICE = 'which is not installed; pip install "bgsub[{}]"'


def names(requirements):
    return {re.match(r"[\w-]+(\[[\w,]+\])?", line)[0] for line in requirements}


@pytest.fixture
def without(monkeypatch):
    """Let imports of an extra's libraries fail, in this process."""

    def block(*extras):
        for extra in extras:
            for module in EXTRAS[extra]:
                monkeypatch.setitem(sys.modules, module, None)

    return block


def run_without(extras, program):
    """Run a program in a process of its own where libraries of the extras cannot be imported."""
    blocked = [module for extra in extras for module in EXTRAS[extra]] + ["scipy", "pandas"]
    return subprocess.run(
        [sys.executable, "-c", f"import sys\nfor name in {blocked}: sys.modules[name] = None\n{program}"],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
    )


def test_the_lists_are_those_of_the_project():
    optional = PROJECT["optional-dependencies"]
    for extra, modules in EXTRAS.items():
        ours = {name.partition("[")[0] for name in names(optional[extra])} - {"bgsub"}  # an extra may bring another
        assert ours == set(modules.values())
    assert names(optional["all"]) == {f"bgsub[{','.join(EXTRAS)}]"}
    assert "bgsub[all]" in names(optional["test"])
    assert not names(PROJECT["dependencies"]) & {name for modules in EXTRAS.values() for name in modules.values()}


def test_masks_need_no_extra(tmp_path):
    mask = tmp_path / "mask.mkv"
    program = (
        "from bgsub.cli import main\nmain(['info', 'sample_videos/night.mp4'])\n"
        f"main(['run', 'sample_videos/night.mp4', '--end', '0.3', '--mask', {str(mask)!r}])\n"
        "import bgsub; bgsub.MOG2, bgsub.createBackgroundSubtractorMOG2, bgsub.open_source"
    )
    done = run_without(EXTRAS, program)
    assert done.returncode == 0, done.stderr
    assert mask.stat().st_size > 0


@pytest.mark.parametrize("command", ["evaluate", "bench", "cluster", "cluster fit", "cluster frames", "cluster colors"])
def test_help_needs_no_extra(without, capsys, command):
    without(*EXTRAS)
    main([*command.split(), "--help"])
    assert "--help" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("program", "what"),
    [
        ("bgsub.GaussianMixture", "bgsub.GaussianMixture"),
        ("bgsub.select([[1.0], [2.0]], 1)", "bgsub.select of anything but a numpy array"),
        ("bgsub.select(numpy.eye(4), 1).best", "the estimator of a selection (`best_mixture` does not)"),
    ],
)
def test_a_public_name_says_what_to_install(program, what):
    done = run_without(
        ["cluster"],
        f"import bgsub, numpy\ntry:\n    {program}\nexcept ImportError as error: print(type(error).__name__, error)",
    )
    expected = f"MissingExtraError {what} needs scikit-learn, {ADVICE.format('cluster')}\n"
    assert done.stdout == expected, done.stderr


def test_a_selection_needs_no_extra():
    program = "import bgsub, numpy\nprint(bgsub.select(numpy.eye(4), [1], 'diag').best_mixture.means)"
    done = run_without(["cluster"], program)
    assert done.stdout == "[[0.25 0.25 0.25 0.25]]\n", done.stderr


def test_a_command_says_what_to_install(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("a,b\n1,2\n3,4\n", encoding="utf-8")
    arguments = ["cluster", "fit", str(table), "--components", "2"]
    done = run_without(["cluster"], f"from bgsub.cli import main\nmain({arguments})")
    assert done.returncode == 1
    assert re.fullmatch(rf"Error: this command needs [\w-]+, {re.escape(ADVICE.format('cluster'))}\n", done.stderr)


@pytest.mark.parametrize(
    "arguments",
    [
        "evaluate sample_videos --method mog2 --report",
        "cluster plot m.bgsub t.csv --output",
        "cluster select t.csv --plot",
        "cluster frames t.mp4 --sheet",
        "cluster frames t.mp4 --timeline",
        "cluster colors t.png --palette",
    ],
)
def test_an_option_that_draws_says_so_before_any_work(without, capsys, arguments):
    without("plots")
    with pytest.raises(SystemExit) as ended:
        main([*arguments.split(), "picture.png"])
    assert ended.value.code == 1
    option = arguments.split()[-1]
    assert capsys.readouterr().err == f"Error: {option} needs matplotlib, {ADVICE.format('plots')}\n"


def test_the_error_is_one_of_ours_and_an_import_error(without):
    without("cluster")
    with pytest.raises(MissingExtraError) as caught:
        require("cluster", "a table")
    assert isinstance(caught.value, BgsubError) and isinstance(caught.value, ImportError)
    require("plots", "a picture")


def test_other_missing_modules_are_not_explained_away():
    with pytest.raises(ModuleNotFoundError, match="no_such_module") as caught, explained("this"):
        import no_such_module  # noqa: F401
    assert not isinstance(caught.value, BgsubError)
