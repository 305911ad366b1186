"""Help: every command and option, in little time, with examples that the program understands."""

import re
import shlex
import subprocess
import sys

import click
import pytest

from bgsub import __version__
from bgsub.background.parameters import ADAPTIVE_PARAMETERS, MOG2_PARAMETERS
from bgsub.cli import cli
from bgsub.cli.models import TABLES
from bgsub.cli.run import command as run_command

COMMANDS = ["run", "scan", "watch", "info", "cluster", "evaluate", "bench"]
HEAVY = ["av", "cv2", "numba", "scipy", "sklearn", "pyarrow", "matplotlib", "rich"]


def command_of(name):
    return cli.get_command(click.Context(cli), name)


def test_the_list_of_commands(bgsub):
    outcome = bgsub("--help")
    assert outcome.code == 0
    assert re.findall(r"^  (\w+)  +[A-Z].*\.$", outcome.out.partition("Commands:")[2], re.MULTILINE) == COMMANDS
    assert cli.list_commands(click.Context(cli)) == COMMANDS
    assert bgsub("--version").out == f"bgsub, version {__version__}\n"
    assert bgsub("-h").out == outcome.out


@pytest.mark.parametrize("arguments", [[], *([name] for name in COMMANDS)])
def test_help_is_plain_text(bgsub, arguments):
    outcome = bgsub(*arguments, "--help")
    assert (outcome.code, outcome.err) == (0, "")
    assert re.fullmatch(r"[\x20-\x7e\n]+", outcome.out)
    assert "\\" not in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 100
    assert "\nExamples:\n  bgsub " in outcome.out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained(bgsub, name):
    shown = bgsub(name, "--help").out
    if "--help-model" in shown:
        shown += bgsub(name, "--help-model").out
    for option in command_of(name).params:
        if isinstance(option, click.Option) and not option.hidden:
            assert re.search(rf"^  (-\w, )?{option.opts[-1]}\b", shown, re.MULTILINE)
        if isinstance(option, click.Option):
            assert re.fullmatch(r"[A-Z][^\n]+\.( \[default: [^\n]+\])?", option.help)


def parts(text):
    """What stands under each heading of a help."""
    headings = re.findall(r"^([A-Z][\w ]*):$", text, re.MULTILINE)
    return dict(zip(headings, re.split(r"\n[A-Z][\w ]*:\n", text)[1:], strict=True))


def test_the_help_of_run_leads_with_what_people_use(bgsub, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    outcome = bgsub("run", "--help")
    found = parts(outcome.out)
    assert list(found) == ["Examples", "Outputs", "Input", "Cleaning masks", "Model", "Cluster", "Options"]
    assert "--save-model" in found["Outputs"] and "--warm-up" in found["Input"] and "--fill" in found["Cleaning masks"]
    assert "--threads" in found["Model"] and "--load-model" in found["Model"] and "--json" in found["Options"]
    assert "--threshold NUMBER" in found["Model"] and "--absorption-time TIME" in found["Model"]
    assert "--help-model" in found["Options"]
    for name in ("--history", "--var-init", "--complexity-prior", "--shadow-value", "--detect-shadows", "--mask-codec"):
        assert name not in outcome.out
    assert len(outcome.out.splitlines()) <= 80


def test_the_help_of_the_models_has_the_rest(bgsub):
    outcome = bgsub("run", "--help-model")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == bgsub("run", "x.mp4", "--mask", "m.mkv", "--help-model").out
    found = parts(outcome.out)
    assert list(found) == ["Outputs", "Input", "Model", "Method adaptive", "Method mog2", "Cluster"]
    assert "--history" in found["Model"] and "--absorption-time TIME" in found["Method adaptive"]
    assert "--precision" in found["Method mog2"]
    assert "--var-max" in found["Method mog2"]  # which the adaptive model has too, but few will want to change
    assert "--overlay" not in outcome.out
    assert bgsub("info", "--help-model").error.startswith("Error: No such option '--help-model'")


def test_the_words_on_shadows_tell_each_other_apart(bgsub):
    assert "Shadows are 127 in masks, or background, 0." in bgsub("run", "--help").out
    told = " ".join(bgsub("run", "--help-model").out.split())
    assert "without, they count as objects and --shadows has nothing to choose." in told


def shown_option(bgsub, name):
    """The help of one option of `bgsub run`, in one line."""
    shown = bgsub("run", "--help").out.partition("Outputs:")[2]
    text = " ".join((bgsub("run", "--help-model").out + shown).split())
    start = text.index(f"--{name} ")
    return text[start : text.index("]", start)].replace("- ", "-")  # long words are broken at a hyphen


@pytest.mark.parametrize("method", TABLES)
def test_parameters_of_the_models_show_unit_bounds_and_default(bgsub, method):
    for parameter in TABLES[method].values():
        if parameter.advanced or parameter.name in ("frame_rate", "min_area"):
            continue
        option = parameter.name.replace("_", "-")
        text = shown_option(bgsub, option)
        assert parameter.description[1:] in text
        default = text.partition("[default: ")[2]
        if isinstance(parameter.default, bool):
            assert option in default
        else:
            assert re.search(rf"\b{re.escape(f'{parameter.default:g}')}\b", default)
            assert parameter.bounds in text and parameter.unit in text


def test_defaults_that_differ_are_both_shown(bgsub):
    assert shown_option(bgsub, "n-components").endswith("[default: 4; mog2 5")
    assert shown_option(bgsub, "n-components").count("a whole number from 1 to") == 2
    assert shown_option(bgsub, "history").endswith("[default: 500")
    assert shown_option(bgsub, "min-area").endswith("[default: 20; mog2 0")


def test_rare_parameters_are_options_that_the_help_leaves_out(bgsub):
    shown = bgsub("run", "--help").out + bgsub("run", "--help-model").out
    options = {option.name: option for option in run_command.params}
    rare = [p for p in ADAPTIVE_PARAMETERS.values() if p.advanced and p.name not in MOG2_PARAMETERS]
    assert len(rare) > 10
    for parameter in rare:
        assert options[parameter.name].hidden
        assert f"--{parameter.name.replace('_', '-')} " not in shown


def test_what_is_not_typed_is_left_to_the_model():
    values = run_command.make_context("run", ["x.mp4"]).params
    assert {values[name] for name in {*MOG2_PARAMETERS, *ADAPTIVE_PARAMETERS} - {"frame_rate"}} == {None}
    assert (values["method"], values["precision"], values["threads"]) == ("adaptive", "exact", None)


@pytest.mark.parametrize(
    ("words", "same"),
    [
        (["help"], ["--help"]),
        (["help", "run"], ["run", "--help"]),
        (["help", "cluster", "fit"], ["cluster", "fit", "--help"]),
        (["version"], ["--version"]),
    ],
)
def test_help_and_version_as_words(bgsub, words, same):
    outcome = bgsub(*words)
    assert (outcome.code, outcome.out) == (0, bgsub(*same).out)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["rum", "x.mp4"], "No such command 'rum'. Did you mean 'run'?"),
        (["walk"], "No such command 'walk'."),
        (["cluster", "colours", "x.png"], "No such command 'colours'. Did you mean 'colors'?"),
        (["cluster", "kmeans"], "No such command 'kmeans'. Did you mean 'fit'?"),
        (["--overlay", "x.mp4", "y.mp4"], "No such option '--overlay' before a command: is it `bgsub run --overlay`?"),
        (["run", "x.mp4", "-o", "y.mp4"], "No such option '-o': say what to write: --overlay FILE, --mask FILE"),
        (["run", "x.mp4", "--output=y.mp4"], "No such option '--output': say what to write: --overlay FILE"),
        (["run", "-i", "x.mp4"], "No such option '-i': give the input without an option: bgsub run FILE"),
        (["run", "x.mp4", "--roi", "1,2,3,4"], "No such option '--roi': it is called --region"),
        (["run", "x.mp4", "--overly", "y.mp4"], "No such option '--overly'. ("),
    ],
)
def test_what_is_nearly_right_is_answered_with_what_is(bgsub, words, message):
    outcome = bgsub(*words)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.error.startswith(f"Error: {message}")


def test_a_source_without_a_command_is_run(bgsub, clip, workplace):
    outcome = bgsub(clip, "--mask", "m.mkv", "--method", "MOG2", "--end", "400ms", "--scale", "50%")
    assert outcome.code == 0
    assert outcome.out.startswith("done: 10 frames at ")
    assert bgsub("missing.mp4").error == "Error: cannot open missing.mp4: no such file or folder; check the path"
    assert bgsub("gopher://host/x").error.startswith("Error: cannot open gopher://host/x")
    assert bgsub("9876").error.startswith("Error: cannot open camera 9876")
    (workplace / "run").mkdir()  # a command's name stays one
    assert bgsub("run").error == "Error: Missing argument 'SOURCE...'."


def examples():
    for command in [cli, *map(command_of, COMMANDS)]:
        for line in command.examples:
            yield re.split(r" {3,}", line)[0]


def test_each_command_has_examples():
    assert len(list(examples())) >= 10
    for name in COMMANDS:
        assert any(example.startswith(f"bgsub {name}") for example in command_of(name).examples)


@pytest.mark.parametrize("example", list(examples()))
def test_examples_are_understood(example):
    program, *words = shlex.split(example)
    assert program == "bgsub"
    command = cli
    while isinstance(command, click.Group):
        name = words.pop(0)
        command = command.get_command(click.Context(command), name)
    assert not command.make_context(name, words).args


@pytest.mark.parametrize("arguments", [["--help"], *([name, "--help"] for name in COMMANDS), ["run"]])
def test_help_waits_for_no_heavy_library(arguments):
    code = (
        "import sys; from bgsub.cli import main\n"
        f"try: main({arguments})\n"
        f"except SystemExit: pass\nprint([name for name in {HEAVY} if name in sys.modules])"
    )
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert outcome.stdout.splitlines()[-1] == "[]"
