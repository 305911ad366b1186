"""Many recordings: what is done is left out, what changed is done again, and no recording ends the rest."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bgsub.errors import OutputError
from bgsub.jobs import ModelChoice
from bgsub.jobs.inputs import find_inputs
from bgsub.motion.events import Rule
from bgsub.motion.folder import MANIFEST, Outcome, scan_all, settings_of
from bgsub.motion.forerunner import deaf
from bgsub.motion.job import ScanJob
from bgsub.motion.outputs import ScanOutputs, read_result
from bgsub.motion.zones import Zone
from tests.motion.recordings import record

JOB = ScanJob("", model=ModelChoice(threads=1))


@pytest.fixture
def recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a recording of motion, one without, and a damaged one."""
    monkeypatch.chdir(tmp_path)
    record("rec/a.mkv", 60, [(20, 45)])
    record("rec/b.mkv", 40)
    Path("rec/c.mp4").write_bytes(b"no video at all")
    return tmp_path / "rec"


def scan(folder: str | None = "out", job: ScanJob = JOB, **options: object) -> dict[str, Outcome]:
    """What comes of each recording, by its name."""
    inputs = find_inputs(["rec"]).each
    found = scan_all(inputs, job, folder=None if folder is None else Path(folder), **options)  # type: ignore[arg-type]
    return {outcome.task.input.name: outcome for outcome in found}


def states(found: dict[str, Outcome]) -> dict[str, str]:
    return {name: outcome.state for name, outcome in found.items()}


@pytest.mark.parametrize("processes", [1, 2])
def test_a_damaged_file_fails_by_itself(recordings: Path, processes: int) -> None:
    found = scan(processes=processes)
    assert states(found) == {"a": "done", "b": "done", "c": "failed"}
    (event,) = found["a"].scanned.events
    assert abs(event.first - 20) <= 2
    assert abs(event.last - 44) <= 2
    assert found["b"].scanned.is_still
    assert not found["c"].scanned.is_still
    assert "c.mp4" in str(found["c"].error)


def test_what_is_done_is_read_again(recordings: Path) -> None:
    first, second = scan(), scan()
    assert states(second) == {"a": "skipped", "b": "skipped", "c": "failed"}
    assert second["a"].scanned.events == first["a"].scanned.events
    assert second["a"].scanned.facts == first["a"].scanned.facts


def test_without_a_folder_nothing_is_written(recordings: Path) -> None:
    assert states(scan(None)) == {"a": "done", "b": "done", "c": "failed"}
    assert sorted(path.name for path in recordings.parent.iterdir()) == ["rec"]


def test_a_recording_that_changed_is_scanned_again(recordings: Path) -> None:
    scan()
    record("rec/b.mkv", 60, [(30, 50)], seed=1)
    found = scan()
    assert states(found) == {"a": "skipped", "b": "done", "c": "failed"}
    assert len(found["b"].scanned.events) == 1


def test_a_result_that_is_damaged_or_gone_is_made_again(recordings: Path) -> None:
    scan()
    Path("out/a.scan.json").write_text('{"format": "nonsense"}')
    Path("out/b.scan.json").unlink()
    found = scan()
    assert states(found) == {"a": "done", "b": "done", "c": "failed"}
    assert read_result(Path("out/a.scan.json"))[0].events == found["a"].scanned.events


def test_results_of_other_settings_are_kept(recordings: Path) -> None:
    scan()
    other = ScanJob("", model=JOB.model, rule=Rule(merge=9.0))
    with pytest.raises(OutputError, match=r"results of rec/a\.mkv and 1 more by other settings: pass --overwrite"):
        scan(job=other)
    assert states(scan(job=other, outputs=ScanOutputs(overwrite=True)))["a"] == "done"


def test_what_changes_no_event_changes_no_digest(tmp_path: Path) -> None:
    mask = tmp_path / "zone.png"
    mask.write_bytes(b"one")
    plain = settings_of(JOB, ScanOutputs())
    assert settings_of(ScanJob("x", model=ModelChoice(threads=3)), ScanOutputs(overwrite=True)) == plain
    assert settings_of(ScanJob("", fast=True), ScanOutputs()) != plain
    assert settings_of(JOB, ScanOutputs(thumbnails=True)) != plain
    zoned = ScanJob("", model=JOB.model, zones=(Zone("door", str(mask)),))
    before = settings_of(zoned, ScanOutputs())
    mask.write_bytes(b"two")
    assert settings_of(zoned, ScanOutputs()) != before


def test_two_recordings_of_one_name_have_results_of_their_own(recordings: Path) -> None:
    record("rec/a.avi", 40)
    found = scan_all(find_inputs(["rec"]).each, JOB, folder=Path("out"))
    names = sorted(path.name for outcome in found for path in outcome.outputs)
    assert names == ["a.avi.scan.json", "a.mkv.scan.json", "b.scan.json"]


_KILLED = """
import sys
from pathlib import Path
from bgsub.jobs import ModelChoice
from bgsub.jobs.inputs import find_inputs
from bgsub.motion.folder import scan_all
from bgsub.motion.job import ScanJob

if __name__ == "__main__":
    scan_all(find_inputs(["rec"]).each, ScanJob("", model=ModelChoice(threads=1)), folder=Path("out"),
             processes=int(sys.argv[1]), on_outcome=lambda outcome: print(outcome.task.input.name, flush=True))
"""


@pytest.mark.slow
def test_a_killed_scan_goes_on_to_the_same_results(recordings: Path) -> None:
    """With two processes; tests/cli/test_scan_endings.py kills one that scans by itself, too."""
    for i in range(4):
        record(f"rec/d{i}.mkv", 200, [(30 + 20 * i, 60 + 20 * i)], seed=i)
    script = recordings.parent / "killed.py"
    script.write_text(_KILLED)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen([sys.executable, script, "2"], stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        process.stdout.readline()  # one is done
        time.sleep(0.1)
        process.send_signal(signal.SIGKILL)
    after = scan(processes=2)
    assert "skipped" in states(after).values()
    whole = scan("other")
    assert {n: o.scanned.events for n, o in after.items()} == {n: o.scanned.events for n, o in whole.items()}
    lines = [json.loads(line) for line in Path("out", MANIFEST).read_text().splitlines()]
    assert {line["state"] for line in lines if not line["input"].endswith("c.mp4")} == {"done"}


def test_a_process_that_dies_costs_its_recording_only(recordings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BGSUB_TEST_DIES", "1")
    deadly = recordings.parent / "sitecustomize.py"
    deadly.write_text(
        "import os\n"
        "if 'BGSUB_TEST_DIES' in os.environ:\n"
        "    import bgsub.motion.working as working\n"
        "    before = working.work\n"
        "    def work(task, *rest, **more):\n"
        "        if task.input.name == 'b':\n"
        "            os._exit(9)\n"
        "        return before(task, *rest, **more)\n"
        "    working.work = work\n"
    )
    script = recordings.parent / "scans.py"
    script.write_text(
        _KILLED.replace("outcome.task.input.name, ", "outcome.task.input.name, outcome.state, outcome.error, ")
    )
    path = os.pathsep.join([str(recordings.parent), str(Path(__file__).parents[2])])
    done = subprocess.run(
        [sys.executable, script, "2"],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    told = {line[0]: line[2:] for line in done.stdout.splitlines()}
    assert told["a"] == "done None"
    assert told["b"].startswith("failed cannot scan rec/b.mkv: its process was killed twice")
    assert told["c"].startswith("failed ")


def test_ctrl_c_waits_until_processes_are_started() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), deaf():
        signal.raise_signal(signal.SIGINT)
        done.append(True)
    assert done == [True]
    with pytest.raises(KeyboardInterrupt):  # and is heard from then on
        signal.raise_signal(signal.SIGINT)
