"""What came of an errand, under the names that things have here."""

from pathlib import Path

import pytest

pytest.importorskip("distributed")

from bgsub.distributed import names
from bgsub.distributed.at_work import Errand
from bgsub.distributed.spreading import Ended
from bgsub.jobs.inputs import find_inputs
from bgsub.motion.job import ScanJob
from bgsub.motion.working import ScanTask


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (None, "night.mp4: its worker ended as it was to begin; run the same command again"),
        (ValueError("a\nb"), "night.mp4: ValueError: a b"),
    ],
)
def test_without_a_result_one_line_says_why(error, text):
    task = ScanTask(0, find_inputs(["night.mp4"]).each[0], ScanJob("night.mp4"), Path("found"), "night")
    errand = Errand(0, "scan", "night.mp4", lambda place: None)
    finished = names.finished(Ended(errand, None, error), task)
    assert str(finished.error) == finished.scanned.error == text
    assert finished.outputs == ()
