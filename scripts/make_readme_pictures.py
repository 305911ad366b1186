"""Make the README's pictures.

The street and its masks are put together here. Every other picture is what a command of the README's section
"Clustering" writes: they are run as they stand there, in an empty folder.

python scripts/make_readme_pictures.py
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

from bgsub import BackgroundSubtractor, open_source
from bgsub.video.writers.drawing import overlay, to_bgr
from bgsub.video.writers.stills import write_image

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "sample_videos"
PICTURES = SAMPLES / "pictures"
CLIP, INDEX = "street.mp4", 182


def street() -> np.ndarray:
    """Return a frame of a sample video, its mask, and its moving objects tinted and outlined, side by side."""
    model = BackgroundSubtractor()
    with open_source(SAMPLES / CLIP) as source:
        for frame in source:
            mask = model.apply(frame.image)
            if frame.index == INDEX:
                break
    gap = np.full((frame.image.shape[0], 6, 3), 255, np.uint8)
    picture = np.hstack([frame.image, gap, to_bgr(mask), gap, overlay(frame.image, mask)])
    return cv2.resize(picture, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)


def clustering_section() -> str:
    """Return what the README says of clustering."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.split(r"^## ", readme.split("\n## Clustering\n")[1], maxsplit=1, flags=re.MULTILINE)[0]


def run_commands(section: str, folder: Path) -> None:
    """Run the shell commands of a section in a folder, with this Python."""
    for name in ("sample_videos", "scripts"):
        (folder / name).symlink_to(ROOT / name)
    programs = {"bgsub": [sys.executable, "-m", "bgsub"], "python": [sys.executable]}
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for block in re.findall(r"```sh\n(.*?)```", section, re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            program, *arguments = shlex.split(line, comments=True)
            print(f"$ {line}", flush=True)
            subprocess.run([*programs[program], *arguments], cwd=folder, env=environment, check=True)


def main() -> int:
    write_image(PICTURES / "street.png", street(), [cv2.IMWRITE_PNG_COMPRESSION, 9])
    section = clustering_section()
    with tempfile.TemporaryDirectory() as folder:
        run_commands(section, Path(folder))
        for name in re.findall(r"\]\(sample_videos/pictures/([\w.-]+)\)", section):
            shutil.copyfile(Path(folder, name), PICTURES / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
