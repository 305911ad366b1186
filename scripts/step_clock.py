"""Set the clock under a running `bgsub watch`, through libfaketime: over both changes of daylight saving, and by hours.

A file is played as a camera in which somebody walks by every half minute. Around each step something is recorded; what
is checked is that each event has a name of its own, a plausible length and a clip that plays as long as it says, that
names and data follow the clock in UTC, and that no camera was lost. The clock that never steps is left alone, as the
system does.

    PYTHONPATH=. python scripts/step_clock.py          # four minutes
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from soak_watch import make_scene

STEPS = (  # what the clock is set to, and what that is
    ("2026-03-29T00:59:45Z", "daylight saving begins in a quarter of a minute (Berlin)"),
    ("2026-10-25T00:59:45Z", "it ends in a quarter of a minute: an hour on the wall comes twice"),
    ("2026-10-24T23:30:00Z", "set back by an hour and a half"),
    ("2026-10-26T08:00:00Z", "set forward by more than a day"),
)
_LIBRARIES = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib")
_PATIENCE = 180.0
# Python sleeps until a second of the clock that never steps, which libfaketime takes for one of the clock that it sets.
_SLEEP = "import select, time\ntime.sleep = lambda seconds: select.select([], [], [], seconds) and None\n"


def library() -> str:
    """Return the path of libfaketime (Debian's package faketime)."""
    for folder in _LIBRARIES:
        path = Path(folder) / "faketime" / "libfaketime.so.1"
        if path.exists():
            return str(path)
    sys.exit("there is no libfaketime: apt-get install faketime")


class Stepped:
    """A watch whose clock can be set."""

    def __init__(self, folder: Path, scene: Path) -> None:
        self._offset, self._out = folder / "offset", folder / "out"
        self.recordings = folder / "recordings"
        self.set(STEPS[0][0])
        (folder / "python").mkdir()
        (folder / "python" / "sitecustomize.py").write_text(_SLEEP)
        variables = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(folder / "python"), os.environ.get("PYTHONPATH", ".")]),
            "LD_PRELOAD": library(),
            "FAKETIME_TIMESTAMP_FILE": str(self._offset),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "TZ": "Europe/Berlin",
        }
        command = [sys.executable, "-m", "bgsub", "watch", str(scene), "--loop", "--json", "--no-listen"]
        command += ["--into", str(self.recordings), "--state", str(folder / "state"), "--min-free", "1MB"]
        command += ["--before", "2s", "--after", "2s", "--merge", "1s"]
        with self._out.open("wb") as out:
            self.process = subprocess.Popen(command, stdout=out, env=variables)

    def set(self, text: str) -> None:
        """Set the clock."""
        ahead = (datetime.fromisoformat(text) - datetime.now(UTC)).total_seconds()
        new = self._offset.with_suffix(".new")
        new.write_text(f"{ahead:+.0f}\n")
        new.replace(self._offset)

    def messages(self, kind: str) -> list[dict]:
        """Return what it has told so far."""
        lines = self._out.read_text().splitlines(keepends=True)
        return [one for one in (json.loads(line) for line in lines if line.endswith("\n")) if one["type"] == kind]

    def until(self, events: int) -> None:
        """Wait until so many events are over."""
        deadline = time.monotonic() + _PATIENCE
        while len(self.messages("EventClosed")) < events:
            if time.monotonic() > deadline or self.process.poll() is not None:
                sys.exit(f"no event comes any more: {self._out.read_text()[-2000:]}")
            time.sleep(0.2)


def duration(clip: Path) -> float:
    """Return the seconds that a clip plays."""
    command = ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", str(clip)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole, scene = folder / "whole.mp4", folder / "scene.mp4"
        make_scene(whole)
        cut = ["ffmpeg", "-v", "error", "-ss", "8", "-t", "30", "-i", str(whole), "-c", "copy", str(scene)]
        subprocess.run(cut, check=True)
        watch = Stepped(folder, scene)
        try:
            for number, (moment, text) in enumerate(STEPS):
                if number:
                    watch.set(moment)
                print(f"{moment}: {text}", flush=True)
                watch.until(len(watch.messages("EventClosed")) + 2)
        finally:
            watch.process.send_signal(signal.SIGTERM)
            print(f"ended with status {watch.process.wait(60)}")
        wrong = check(watch)
        print("\n".join(wrong) or "all is well")
        sys.exit(bool(wrong))


def check(watch: Stepped) -> list[str]:
    """Return what is wrong, a line each."""
    wrong = [f"lost: {lost}" for lost in watch.messages("CameraLost")]
    records = [one["record"] for one in watch.messages("EventClosed")]
    if len({record["id"] for record in records}) != len(records):
        wrong.append("two events have one name")
    for record in records:
        start, end = (datetime.fromisoformat(record[key]) for key in ("start", "end"))
        length = (end - start).total_seconds()
        clip = watch.recordings / record["clip"]
        played = duration(clip)
        told = (
            datetime.fromisoformat(record["clip_end"]) - datetime.fromisoformat(record["clip_start"])
        ).total_seconds()
        print(f"{record['id']}: {length:.1f} s, clip {told:.1f} s, plays {played:.1f} s")
        if not 3 < length < 15:
            wrong.append(f"{record['id']}: {length:.1f} s long")
        if abs(played - told) > 1:
            wrong.append(f"{record['id']}: its clip plays {played:.1f} s, not {told:.1f}")
        if not clip.name.startswith(f"{start:%Y-%m-%dT%H-%M-%S}") or clip.parent.name != f"{start:%Y-%m-%d}":
            wrong.append(f"{record['id']}: its clip is called {record['clip']}")
    return wrong


if __name__ == "__main__":
    main()
