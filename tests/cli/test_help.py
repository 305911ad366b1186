"""Help: every command and option, in little time, with examples that the program understands."""

import re
import shlex
import subprocess
import sys

import click
import pytest

from bgsub import __version__
from bgsub.background.parameters import MOG2_PARAMETERS
from bgsub.cli import cli
from bgsub.cli.run import command as run_command

COMMANDS = ["run", "info", "bench"]
HEAVY = ["av", "cv2", "numba", "scipy", "sklearn", "rich"]


def command_of(name):
    return cli.get_command(click.Context(cli), name)


def test_the_list_of_commands(bgsub):
    outcome = bgsub("--help")
    assert outcome.code == 0
    assert re.findall(r"^  (\w+)  +[A-Z].*\.$", outcome.out.partition("Commands:")[2], re.MULTILINE) == COMMANDS
    assert cli.list_commands(click.Context(cli)) == COMMANDS
    assert bgsub("--version").out == f"bgsub, version {__version__}\n"
    assert bgsub("-h").out == outcome.out


@pytest.mark.parametrize("arguments", [[], ["run"], ["info"], ["bench"]])
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
    for option in command_of(name).params:
        if isinstance(option, click.Option):
            assert re.search(rf"^  (-\w, )?{option.opts[-1]}\b", shown, re.MULTILINE)
            assert re.fullmatch(r"[A-Z][^\n]+\.", option.help)


def test_the_options_of_run_stand_under_headings(bgsub):
    shown = bgsub("run", "--help").out
    headings = ["Examples", "Outputs", "Input", "Cleaning masks", "Model", "Options"]
    assert re.findall(r"^([A-Z][\w ]*):$", shown, re.MULTILINE) == headings
    parts = dict(zip(headings, re.split(r"\n[A-Z][\w ]*:\n", shown)[1:], strict=True))
    assert "--save-model" in parts["Outputs"] and "--warm-up" in parts["Input"] and "--fill" in parts["Cleaning masks"]
    assert "--history" in parts["Model"] and "--load-model" in parts["Model"] and "--json" in parts["Options"]


@pytest.mark.parametrize("parameter", MOG2_PARAMETERS.values(), ids=lambda parameter: parameter.name)
def test_parameters_of_the_model_show_unit_bounds_and_default(bgsub, parameter):
    shown = " ".join(bgsub("run", "--help").out.split())
    option = parameter.name.replace("_", "-")
    start = shown.index(f"--{option} ")
    text = shown[start : shown.index("]", start)].replace("- ", "-")  # long words are broken at a hyphen
    assert parameter.description[1:] in text
    if isinstance(parameter.default, bool):
        assert f"[default: {option}" in text
    else:
        assert f"{parameter.bounds}. [default: {parameter.default}" in text
        assert parameter.unit in text


def test_defaults_of_the_command_line_are_those_of_python():
    from bgsub.background.mog2 import MOG2

    values, model = run_command.make_context("run", ["x.mp4"]).params, MOG2()
    assert {name: values[name] for name in model.parameters} == model.parameters
    assert (values["precision"], values["threads"]) == (model.precision, model.threads)


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
    program, name, *arguments = shlex.split(example)
    assert program == "bgsub"
    context = command_of(name).make_context(name, arguments)
    assert not context.args


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["info", "--help"], ["bench", "--help"], ["run"]])
def test_help_waits_for_no_heavy_library(arguments):
    code = (
        "import sys; from bgsub.cli import main\n"
        f"try: main({arguments})\n"
        f"except SystemExit: pass\nprint([name for name in {HEAVY} if name in sys.modules])"
    )
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert outcome.stdout.splitlines()[-1] == "[]"
