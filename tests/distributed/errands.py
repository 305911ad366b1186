"""What tests have workers do: functions that a worker imports by their names here."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from distributed import get_worker

import bgsub
from bgsub.distributed import fitting_in, labelling, videos


def note(folder: Path, word: str) -> int:
    """Put a word down among those of this errand; return how often it has been."""
    with (folder / word).open("a") as file:
        file.write(f"{os.getpid()}\n")
    return len((folder / word).read_text().splitlines())


def pids(folder: Path, word: str) -> list[int]:
    """Processes that have put a word down, in their order."""
    path = folder / word
    return [int(line) for line in path.read_text().splitlines()] if path.exists() else []


def wait_for(folder: Path, word: str, seconds: float = 60) -> None:
    """Wait until somebody has put a word down."""
    end = time.monotonic() + seconds
    while not (folder / word).exists():
        assert time.monotonic() < end, f"nobody has put down {word}"
        time.sleep(0.01)


def kill() -> None:
    """Die as of want of memory, at once."""
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


# ------------------------------------------------------------------------------------------------------------- errands


def twice(number, place):
    return 2 * number


def key_of(place):
    return get_worker().get_current_task()


def threads_of(place):
    return place.threads


def broken(place):
    raise RuntimeError("of no importance,\nbut long")


def until_free(folder, word, place):
    """Say that it is begun, and work until there is a file ``go``."""
    note(folder, word)
    wait_for(folder, "go")
    return word


def poison(folder, place):
    note(folder, "poison")
    kill()


def poison_with_others(folder, place):
    """Take the process down when another errand is in work there, or after a while."""
    note(folder, "poison")
    end = time.monotonic() + 2
    while time.monotonic() < end and not (folder / "innocent").exists():
        time.sleep(0.01)
    time.sleep(0.1)
    kill()


def innocent(folder, place):
    """Need a second, in which the process must not be taken down."""
    note(folder, "innocent")
    time.sleep(0.5)
    return "innocent"


def alone(folder, place):
    """Return whether another of these was in work in this process meanwhile."""
    mark = folder / f"in-{os.getpid()}"
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return False
    time.sleep(0.1)
    mark.unlink()
    return True


def until_stopped(folder, word, place):
    """Work until nobody wants the result any more."""
    note(folder, word)
    end = time.monotonic() + 60
    while not place.stop():
        assert time.monotonic() < end
        place.tell(1, 10)
        time.sleep(0.01)
    note(folder, f"{word}-stopped")
    return word


def scan_killed_once(task, outputs, place):
    """Scan as ever, but of recordings called victim take the worker down in the middle of the first time."""
    if "victim" not in task.name:
        return videos.scan_there(task, outputs, place)
    folder = task.folder

    class Dying(type(place)):
        def __init__(self):
            self.threads = place.threads

        def stop(self):
            return place.stop()

        def tell(self, read, total=None):
            place.tell(read, total)
            if read == 20 and note(folder, "deaths") == 1:
                kill()

    return videos.scan_there(task, outputs, Dying())


def scan_poisoned(task, outputs, place):
    """Scan as ever, but of recordings called poison take the worker down each time."""
    if "poison" in task.name:
        poison(task.folder, place)
    return videos.scan_there(task, outputs, place)


def scan_when_told(task, outputs, place):
    """Scan recordings whose name has an "a" at once, the others when there is a file ``go``."""
    while "a" not in Path(task.name).name and not (task.folder / "go").exists() and not place.stop():
        time.sleep(0.01)
    return videos.scan_there(task, outputs, place)


_label = labelling._label


def label_slowly(*arguments):
    """Label a part of a table, after a while."""
    time.sleep(0.3)
    return _label(*arguments)


_build = fitting_in.build


def have_other_code():
    fitting_in.build = lambda: (bgsub.__version__, "other")


def have_the_same_code():
    fitting_in.build = _build
