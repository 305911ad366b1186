"""The rules of the house: imports point one way and never in a circle, and each outside thing has one room.

The rooms are the folders and modules directly below ``bgsub``. `BELOW` says which rooms each may import; rooms that do
not exist yet stand there already. Imports inside functions and for type checks count: they too are knowledge.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "bgsub"

GROUND = {
    "compilation",
    "errors",
    "extras",
    "files",
    "formats",
    "masks",
    "notebook",
    "outputs",
    "stores",
    "threads",
    "times",
}
WATCHING = {"background", "video", "pipeline", "jobs"}
BELOW = {
    **{room: set() for room in GROUND},
    "simd": set(),
    "background": {"simd"},
    "mixture": {"simd"},
    "video": set(),
    "tables": set(),
    "plots": set(),
    "clustering": {"tables", "mixture"},
    "features": {*WATCHING, "mixture", "tables"},
    "evaluation": {"video", "background"},
    "pipeline": {"video", "background"},
    "jobs": {"pipeline", "video", "background"},
    "motion": {*WATCHING, "mixture", "plots"},  # unusual events are unlikely in a mixture of all; plots has its graph
    "live": {*WATCHING, "motion"},
    "distributed": {*WATCHING, "motion", "features", "evaluation", "tables", "mixture", "clustering"},
}
BELOW["cli"] = set(BELOW)
BELOW["__main__"] = {"cli"}
GROUND_ORDER = {  # errors below all, and no ground knows of video or models
    "compilation": set(),
    "errors": set(),
    "formats": set(),
    "masks": set(),
    "times": set(),
    "notebook": set(),
    "threads": {"errors"},
    "extras": {"errors"},
    "files": {"errors", "stores"},
    "outputs": {"errors", "files", "formats"},
    "stores": {"errors"},
}

ONLY_IN = {  # of a library, or a name in one, the rooms that may use it
    "click": {"cli"},
    "rich": {"cli"},
    "av": {"video"},
    "cv2.VideoCapture": {"video"},
    "cv2.VideoWriter": {"video"},
    "pyarrow.csv": {"tables"},
    "pyarrow.parquet": {"tables"},
    "pyarrow.dataset": {"tables"},
    "pyarrow.feather": {"tables"},
    "pyarrow.ipc": {"tables"},
    "pyarrow.json": {"tables"},
    "openpyxl": {"tables"},
    "zipfile": {"tables"},
    "numpy.load": {"tables"},
    "numpy.loadtxt": {"tables"},
    "numpy.genfromtxt": {"tables"},
    "numpy.save": {"tables"},
    "numpy.savez": set(),
    "numpy.savez_compressed": set(),
    "pandas": set(),
    "pickle": set(),
    "sklearn": {"mixture", "tables", "clustering", "features", "cli"},  # the extra "cluster"; masks do without
    "scipy": {"cli", "clustering", "mixture"},
    "pyarrow": {"tables", "clustering", "cli"},
    "matplotlib": {"plots"},
    "PIL": {"plots"},
    "numba": {"simd", "background", "mixture"},
    "llvmlite": {"simd"},
    "dask": {"distributed"},
    "distributed": {"distributed"},
    "fsspec": {"stores"},
    "msgspec": {"live"},
    "sqlite3": {"live"},
    "prometheus_client": {"live"},
    "aiomqtt": {"live"},
    "apprise": {"live"},
    "starlette": {"live"},
    "fastapi": set(),
    "uvicorn": {"live"},
    "websockets": {"live"},
    "tomlkit": {"live"},
}
CAMERA_SIDE = {"looking", "recording", "camera"}  # rooms of `live` that run in a camera's process
SUPERVISOR_SIDE = {"supervising", "telling", "health", "web"}
VAGUE = {"util", "utils", "helper", "helpers", "common", "manager", "managers", "misc", "core", "base"}
LONGEST = 400  # lines


def modules(package: Path) -> dict[str, Path]:
    """Dotted name and file of every module."""
    named = {}
    for path in sorted(package.rglob("*.py")):
        parts = (package.name, *path.relative_to(package).with_suffix("").parts)
        named[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return named


def room_of(module: str) -> str:
    """The room of a module; that of the package itself has no name."""
    return (*module.split("."), "")[1]


@functools.cache
def nodes(path: Path) -> list[ast.AST]:
    """What a file's source is made of."""
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def imports(path: Path) -> Iterator[str]:
    """Dotted names that a file imports; of ``from a import b`` this is a.b, whether b is a module or not."""
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: imports say the whole name of a module"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported_modules(package: Path) -> dict[str, set[str]]:
    """Of every module but the package's own the modules of the package that it imports."""
    known = modules(package)
    graph = {}
    for module, path in known.items():
        ours = [name for name in imports(path) if name.split(".")[0] == package.name]
        graph[module] = {name if name in known else name.rpartition(".")[0] for name in ours} - {
            module
        }  # or a name in it
    graph.pop(package.name)  # its public names are imported at their first use
    return graph


def wrong_arrows(package: Path) -> list[str]:
    """Imports that point to a room that is not below."""
    wrong = []
    for module, targets in imported_modules(package).items():
        room = room_of(module)
        if room not in BELOW:
            wrong.append(f"{module} stands in a room without arrows: {room}")
            continue
        allowed = GROUND_ORDER.get(room, BELOW[room] | GROUND) | {room}
        for target in sorted(targets):
            to = room_of(target)
            if to and to not in allowed:
                wrong.append(f"{module} -> {target}")
            if target.startswith(f"{package.name}.live.web") and room != "cli" and "live.web" not in module:
                wrong.append(f"{module} -> {target}, which only cli may import")
    return wrong


def words_past_the_messages(package: Path) -> list[str]:
    """Imports from one side of a watch to the other: a camera's process and its supervisor share messages only."""
    found = []
    for module, targets in imported_modules(package).items():
        for here, there in ((CAMERA_SIDE, SUPERVISOR_SIDE), (SUPERVISOR_SIDE, CAMERA_SIDE)):
            if room_in_live(module) in here:
                found += [f"{module} -> {target}" for target in sorted(targets) if room_in_live(target) in there]
    return found


def room_in_live(module: str) -> str:
    """The room of `live` in which a module stands; that of all others has no name."""
    room, inner = (*module.split("."), "", "")[1:3]
    return inner if room == "live" else ""


def circles(package: Path) -> list[list[str]]:
    """Groups of modules that import each other, directly or through others."""
    graph = imported_modules(package)

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        ahead = [start]
        while ahead:
            for target in graph.get(ahead.pop(), ()):
                if target not in seen:
                    seen.add(target)
                    ahead.append(target)
        return seen

    reach = {module: reached(module) for module in graph}
    groups = {tuple(sorted(m for m in reach[one] if one in reach.get(m, ()))) for one in graph if one in reach[one]}
    return [list(group) for group in sorted(groups)]


def outside_names(path: Path) -> set[str]:
    """Libraries that a file imports, and the dotted names in them that it uses."""
    aliases = {}
    found = set(imports(path))
    for node in nodes(path):
        if isinstance(node, ast.Import):
            aliases.update({alias.asname or alias.name.split(".")[0]: alias.name for alias in node.names})
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in aliases:
            found.add(f"{aliases[node.value.id]}.{node.attr}")
    return found


def strangers(package: Path) -> list[str]:
    """Uses of a library outside its room."""
    found = []
    for module, path in modules(package).items():
        for name in sorted(outside_names(path)):
            for owned, rooms in ONLY_IN.items():
                if (name == owned or name.startswith(f"{owned}.")) and room_of(module) not in rooms:
                    found.append(f"{module} uses {name}")
    return found


def containers_read_by_hand(package: Path) -> list[str]:
    """Modules other than `files` that know how a model's file begins."""
    found = []
    for module, path in modules(package).items():
        for node in nodes(path):
            magic = isinstance(node, ast.Constant) and isinstance(node.value, bytes) and b"bgsub model" in node.value
            reads = isinstance(node, ast.Attribute) and node.attr == "readline"
            if (magic or reads) and room_of(module) != "files":
                found.append(f"{module}, line {node.lineno}")
    return found


def vague_names(package: Path) -> list[str]:
    """Modules whose name says nothing."""
    return [module for module in modules(package) if VAGUE & set(module.split(".")[-1].strip("_").split("_"))]


def test_imports_point_one_way():
    assert wrong_arrows(PACKAGE) == []


def test_a_camera_and_its_supervisor_know_each_other_by_messages():
    assert words_past_the_messages(PACKAGE) == []
    assert {room_in_live(module) for module in modules(PACKAGE)} >= CAMERA_SIDE | SUPERVISOR_SIDE


def test_no_modules_import_each_other():
    assert circles(PACKAGE) == []


def test_each_library_stays_in_its_rooms():
    assert strangers(PACKAGE) == []


def test_only_files_knows_the_container_of_models():
    assert containers_read_by_hand(PACKAGE) == []


def test_names_say_something():
    assert vague_names(PACKAGE) == []


def test_no_file_is_longer_than_one_can_keep_in_mind():
    lines = {module: path.read_bytes().count(b"\n") for module, path in modules(PACKAGE).items()}
    assert {module: count for module, count in lines.items() if count > LONGEST} == {}


@pytest.fixture
def house(tmp_path):
    """Builds a package of files with the text that is given."""

    def build(**files):
        for name, text in {"__init__": "", **files}.items():
            path = tmp_path / "bgsub" / f"{name.replace('__in__', '/')}.py"
            path.parent.mkdir(exist_ok=True, parents=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path / "bgsub"

    return build


def test_every_room_has_its_arrows():
    rooms = {room_of(module) for module in modules(PACKAGE)} - {""}
    assert rooms <= set(BELOW)
    assert {"background", "mixture", "video", "simd", "cli"} <= rooms


@pytest.mark.parametrize(
    ("file", "text", "wrong"),
    [
        ("mixture__in__em", "from bgsub.video import Frame", ["bgsub.mixture.em -> bgsub.video"]),
        ("video__in__sink", "def f():\n    import bgsub.pipeline", ["bgsub.video.sink -> bgsub.pipeline"]),
        ("plots__in__page", "from bgsub import evaluation", ["bgsub.plots.page -> bgsub.evaluation"]),
        ("errors", "from bgsub.files import x", ["bgsub.errors -> bgsub.files"]),
        ("attic", "", ["bgsub.attic stands in a room without arrows: attic"]),
        ("distributed__in__x", "import bgsub.live.web", 2),
        ("cli__in__run", "import bgsub.live.web, bgsub.jobs", []),
        ("clustering__in__x", "from bgsub.tables.rows import Rows\nfrom bgsub.files import y", []),
    ],
)
def test_a_wrong_arrow_is_seen(house, file, text, wrong):
    rooms = dict.fromkeys(("pipeline", "evaluation", "files", "jobs", "video__in____init__"), "")
    package = house(**{**rooms, "live__in__web": "", "tables__in__rows": "", file: text})
    seen = wrong_arrows(package)
    assert len(seen) == wrong if isinstance(wrong, int) else seen == wrong


def test_a_word_past_the_messages_is_seen(house):
    package = house(
        live__in__web__in__page="def f():\n    from bgsub.live.camera.loop import CameraLoop",
        live__in__camera__in__loop="from bgsub.live.messages import Stop",
        live__in__looking__in__zones="import bgsub.live.web.page",
        live__in__messages="",
    )
    assert words_past_the_messages(package) == [
        "bgsub.live.looking.zones -> bgsub.live.web.page",
        "bgsub.live.web.page -> bgsub.live.camera.loop",
    ]


def test_a_circle_is_seen_through_a_function_too(house):
    package = house(
        video__in____init__="",
        video__in__a="import bgsub.video.b",
        video__in__b="def f():\n    from bgsub.video.c import x",
        video__in__c="from bgsub.video import a",
        video__in__d="from bgsub.video.a import x",
    )
    assert circles(package) == [["bgsub.video.a", "bgsub.video.b", "bgsub.video.c"]]


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("import click", "click"),
        ("def f():\n    from av.container import open", "av.container.open"),
        ("import cv2 as c\nc.VideoCapture(0)", "cv2.VideoCapture"),
        ("import numpy as np\nnp.load('x')", "numpy.load"),
        ("from pyarrow import csv", "pyarrow.csv"),
    ],
)
def test_a_library_in_the_wrong_room_is_seen(house, text, seen):
    package = house(mixture__in__em=text)
    assert f"bgsub.mixture.em uses {seen}" in strangers(package)


def test_a_container_read_by_hand_and_a_vague_name_are_seen(house):
    package = house(cli__in__x="open('m', 'rb').readline(9)", cli__in__run_utils="", files="b'bgsub model, container'")
    assert containers_read_by_hand(package) == ["bgsub.cli.x, line 1"]
    assert vague_names(package) == ["bgsub.cli.run_utils"]
