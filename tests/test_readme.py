"""The READMEs are true: their commands run and print what they say, their Python runs, the test command is CI's."""

import contextlib
import importlib.util
import io
import re
import runpy
import shlex
import sys
import tomllib
from pathlib import Path

import pytest
from PIL import Image

from bgsub.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "bgsub" / "clustering" / "README.md").read_text(encoding="utf-8")
MEASUREMENTS = (ROOT / "scripts" / "README.md").read_text(encoding="utf-8")
NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def lines_of(block: str) -> list[str]:
    return block.replace("\\\n", " ").splitlines()


def commands(text: str) -> list[str]:
    lines = [line for block in blocks("sh", text) for line in lines_of(block)]
    return [line for line in lines if line.startswith(("bgsub ", "python scripts/"))]


def printed(text: str) -> dict[str, str]:
    """What a README says that commands print: the block of text below them is the last one's."""
    pairs = re.findall(r"```sh\n([^`]*)```\n+```text\n([^`]*)```", text)
    return {lines_of(block)[-1]: text for block, text in pairs}


def run(command: str) -> str:
    """Run a command of the README, shortened where it would take long; return what it prints."""
    program, *arguments = shlex.split(command, comments=True)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        if program == "python":
            with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as ended:
                patch.setattr(sys, "argv", arguments)
                runpy.run_path(arguments[0], run_name="__main__")
            assert not ended.value.code, command
        else:
            if arguments[0] == "bench":
                arguments = ["bench", "--size", "64x48", "--threads", "1", "--rounds", "2"]
            elif arguments[0] == "run":
                arguments += ["--end", "0.4", "--overwrite"]
            elif arguments[0] == "scan":
                arguments += ["--end", "2.5", "--overwrite"]
            elif arguments[:2] == ["cluster", "frames"]:
                arguments += ["--every", "14"]
            elif arguments[0] == "watch":
                arguments += ["--duration", "4s", "--listen", "127.0.0.1:0", "--state", "state"]
                arguments += ["--web-listen", "127.0.0.1:0"] if "--web" in arguments else []
            main(arguments)
    return out.getvalue()


def same(seen: str, said: str) -> bool:
    """Whether two lines have the same words, and numbers that differ no more than processors and libraries do."""
    numbers = [[float(number.replace(",", "")) for number in NUMBER.findall(line)] for line in (seen, said)]
    words = [NUMBER.sub("", line).split() for line in (seen, said)]
    return words[0] == words[1] and numbers[0] == pytest.approx(numbers[1], rel=0.05)


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    for name in ("sample_videos", "scripts"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_readmes_show_commands_and_python():
    assert len(commands(README)) >= 8 and len(commands(GUIDE)) >= 8
    assert len(blocks("python")) >= 2 and blocks("python", GUIDE)
    assert set(printed(GUIDE)) <= set(commands(GUIDE)) and len(printed(GUIDE)) >= 2


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 200


@pytest.mark.slow
@pytest.mark.parametrize("text", [README, GUIDE], ids=["README", "clustering"])
def test_every_command_runs_and_prints_what_the_readme_says(workplace, text):
    said = printed(text)
    for command in commands(text):
        seen = [line for line in run(command).splitlines() if not line.startswith("  wrote ")]
        if command in said:
            expected = said[command].splitlines()
            assert len(seen) == len(expected), command
            for seen_line, said_line in zip(seen, expected, strict=True):
                assert same(seen_line, said_line), f"{command}\nprints  {seen_line}\nREADME  {said_line}"
    if text == README:
        named = ("room.overlay.mp4", "room.mask.mkv", "masks/bin000001.png", "found/bgsub.jsonl")
        assert [name for name in named if not (workplace / name).stat().st_size] == []
    output = r"--(?:output|plot|sheet|timeline|palette|background|overlay|foreground|stats|save-model|model) (\S+\.\w+)"
    for name in re.findall(output, "\n".join(commands(text))):
        assert (workplace / name).stat().st_size > 0


def test_a_changed_number_or_word_is_noticed():
    line = "      0  89.70%  4,483    45.3 ×÷ 1.59        5.97 ×÷ 1.64"
    assert same(line, line.replace("4,483", "4,482"))
    assert not same(line, line.replace("4,483", "3,483"))
    assert not same(line, line.replace("×÷", "±", 1))


@pytest.mark.slow
@pytest.mark.parametrize(("text", "made"), [(README, "street.bgsub"), (GUIDE, "mixture.bgsub")])
def test_the_python_runs(workplace, text, made):
    for block in blocks("python", text):
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(block, "README.md", "exec"), {})
    assert (workplace / made).exists()


def test_measurements_name_commands_that_exist():
    """Every option of a command that takes too long to be run here is one that it has."""
    typed = re.findall(r"`((?:bgsub|python scripts/)[^`]*)`", MEASUREMENTS)
    assert len(typed) >= 8
    for command in typed:
        program, *arguments = shlex.split(command)
        if program == "python":
            assert (ROOT / arguments[0]).is_file(), command
            source = (ROOT / arguments[0]).read_text(encoding="utf-8")
            assert [word for word in arguments if word.startswith("--") and f'"{word}"' not in source] == [], command
        elif arguments and arguments[0] in ("evaluate", "bench"):
            with contextlib.redirect_stdout(io.StringIO()) as out:
                main([*arguments, "--help"])
            assert out.getvalue().startswith(f"Usage: bgsub {arguments[0]} "), command


def test_the_figures_of_the_readme_are_those_of_the_measurements():
    """Every cell of its two tables, a number with its unit, stands in the full tables, too."""
    for section in ("Accuracy", "Speed"):
        rows = README.split(f"\n## {section}\n")[1].split("\n## ")[0].splitlines()
        cells = [cell.strip("* ") for row in rows if row.startswith("| ") for cell in row.split("|")[2:-1]]
        figures = [figure for cell in cells for figure in re.findall(r"(?<![\w.])\d*\.\d+(?: ms)?", cell)]
        assert len(figures) >= 8
        for figure in figures:
            number, _, unit = figure.partition(" ")
            assert re.search(rf"(?<![\d.]){re.escape(number)}(?!\d)", MEASUREMENTS), f"{number} {unit}"


def test_continuous_integration_runs_the_test_command_to_the_letter():
    test_command = next(line for block in blocks("sh") for line in block.splitlines() if "pytest" in line)
    assert "-m pytest" in test_command and " -m " not in test_command.partition("-m pytest")[2]  # the whole suite
    assert test_command in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


def test_the_recipe_without_windows_lists_what_the_project_needs():
    recipe = next(line for block in blocks("sh") for line in block.splitlines() if "opencv-python-headless" in line)
    listed = {re.match(r"[\w-]+", word)[0] for word in shlex.split(recipe.partition("pip install ")[2])}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {re.match(r"[\w-]+", line)[0] for line in project["dependencies"]}
    assert listed == needed - {"opencv-python"} | {"opencv-python-headless"}
    for bound in re.findall(r'"([\w-]+)([<>=]+[\d.]+)"', recipe):
        line = next(line for line in project["dependencies"] if line.startswith(bound[0]))
        assert bound[1] in line
    for extra in ("cluster", "plots"):
        names = [re.match(r"[\w-]+", line)[0] for line in project["optional-dependencies"][extra]]
        assert f"`{' '.join(names)}`" in README


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "scripts/README.md",
        *(f"bgsub/{room}/README.md" for room in ("clustering", "background", "distributed", "motion", "jobs", "live")),
    ],
)
def test_what_a_readme_names_exists(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for name in re.findall(r"\]\(([\w./-]+)(?:#[\w-]+)?\)", text):
        assert ((ROOT / page).parent / name).exists(), name
    for name in re.findall(r"`((?:scripts|bgsub|sample_videos)/[\w./]+)`", text):
        assert (ROOT / name).exists(), name


def test_headings_that_the_readme_links_to_exist():
    for page, anchor in re.findall(r"\]\(([\w./-]*)#([\w-]+)\)", README):
        text = (ROOT / page).read_text(encoding="utf-8") if page else README
        headings = [line.lstrip("# ").lower().replace(" ", "-") for line in text.splitlines() if line.startswith("#")]
        assert anchor in headings


def test_every_picture_of_clustering_is_written_by_a_command_there():
    spec = importlib.util.spec_from_file_location("pictures", ROOT / "scripts" / "make_readme_pictures.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    section = module.clustering_section()
    written = " ".join(line for block in blocks("sh", section) for line in lines_of(block)).split()
    pictures = re.findall(r"/sample_videos/pictures/([\w.-]+)\)", section)
    assert len(pictures) >= 6
    assert [name for name in pictures if name not in written] == []


def test_the_moving_picture_moves_and_is_small():
    path = ROOT / "sample_videos" / "pictures" / "masks.webp"
    assert path.stat().st_size < 1.5e6
    with Image.open(path) as picture:
        assert picture.n_frames > 100 and picture.width <= 830  # GitHub's column
