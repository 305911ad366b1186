"""What a type checker says of programs that use the package: slips of the keyboard are caught, right ones pass."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
pytest.importorskip("mypy")

PROGRAM = """\
import numpy as np

import bgsub

mask: np.ndarray
info: bgsub.VideoInfo

bgsub.BackgroundSubtractor(treshold=3)  # Unexpected keyword argument "treshold"
bgsub.BackgroundSubtractor(threshold="high")  # incompatible type "str"
bgsub.BackgroundSubtractor(match_distances=3)  # Unexpected keyword argument "match_distances"
bgsub.BackgroundSubtractor(device="gpu")  # expected "Literal['cpu']"
bgsub.BackgroundSubtractor(history=300, threshold=7, stabilise=False, taper=3, threads=2)
bgsub.BackgroundSubtractor().set_parameters(treshold=3)  # Unexpected keyword argument "treshold"
bgsub.BackgroundSubtractor().set_parameters(threshold=3, match_distance=9.5)
bgsub.MOG2(varThreshold=16)  # Unexpected keyword argument "varThreshold"
bgsub.MOG2(precision="double")  # expected "Literal['exact', 'compact']"
bgsub.MOG2(history=300, var_threshold=20, precision="compact").set_parameters(var_min=3)
bgsub.GaussianMixture(covariance_type="ful")  # incompatible type "Literal['ful']"
bgsub.GaussianMixture(init_params="k-means")  # incompatible type "Literal['k-means']"
bgsub.GaussianMixture(3, covariance_type="tied", acceleration="squarem", random_state=0)
bgsub.GaussianMixture(3).fit([[1.0]]).save()  # Missing positional argument "path"
bgsub.select([[1.0]], criterion="bicc")  # incompatible type "Literal['bicc']"
bgsub.select([[1.0]], reg_cova=1e-3)  # Unexpected keyword argument "reg_cova"
bgsub.select([[1.0]], range(1, 4), ["full", "tied"], "icl", reg_covar=1e-3)
bgsub.createBackgroundSubtractorMOG2(500, 16, detectShadow=False)  # Unexpected keyword argument "detectShadow"
bgsub.createBackgroundSubtractorMOG2(500, 16).setHistory("long")  # incompatible type "str"
history: int = bgsub.createBackgroundSubtractorMOG2(500, 16).getHistory()
bgsub.createBackgroundSubtractor(500, 16, True)  # Too many positional arguments
area: int = bgsub.createBackgroundSubtractor(500, threshold=7).getMinArea()
bgsub.createBackgroundSubtractor().getVarThreshold()  # has no attribute "getVarThreshold"
picture = bgsub.overlay(mask, mask, colour="red")  # Unexpected keyword argument "colour"
bgsub.open_sink("a.mkv", info, "overlays")  # incompatible type "Literal['overlays']"
bgsub.open_sink("a.mkv", info, "overlay", color="red", quality=70)
writer = bgsub.VideoWriter("a.mp4", fps=25)
writer.write(bgsub.overlay(mask, mask, color=(0, 0, 255)), time=0.5)
"""


def test_mypy_finds_the_slips_and_nothing_else(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--cache-dir", str(tmp_path / "cache")]
    command += ["--config-file", str(Path(__file__).parents[1] / "pyproject.toml"), str(program)]
    told = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[1], check=False)
    found = dict(re.findall(r"program\.py:(\d+): error: (.*)", told.stdout))
    expected = {
        str(number): line.split("  # ")[1] for number, line in enumerate(PROGRAM.splitlines(), 1) if "  # " in line
    }
    assert set(found) == set(expected), told.stdout
    for number, part in expected.items():
        assert part in found[number]
