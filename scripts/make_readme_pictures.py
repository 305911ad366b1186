"""Make the README's pictures.

The moving picture on top of the README is put together here. Every other picture is what a command of
bgsub/clustering/README.md writes: they are run as they stand there, in an empty folder.

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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from bgsub import BackgroundSubtractor, open_source
from bgsub.video.writers.drawing import foreground_only, to_bgr

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "sample_videos"
PICTURES = SAMPLES / "pictures"
GUIDE = ROOT / "bgsub" / "clustering" / "README.md"
SCENES = {  # clip, with the frames that are shown and what happens in them
    "room": (range(96, 200, 3), "somebody sits down"),
    "trees": (range(120, 200, 2), "leaves in the wind"),
    "light_switch": (range(84, 150, 2), "a light is switched on"),
    "exposure": (range(110, 190, 2), "the camera's exposure drifts"),
}
PANEL, GAP, BAND = (272, 204), 4, 26  # pixels
MILLISECONDS = 100  # a frame
HEADINGS = ("frame", "OpenCV's MOG2", "bgsub")


def scene(clip: str, indices: range, caption: str) -> Iterator[np.ndarray]:
    """Yield a sample's frames with the masks of OpenCV's MOG2 and ours beside them, shadows left out."""
    models: list[Any] = [cv2.createBackgroundSubtractorMOG2(), BackgroundSubtractor()]
    with open_source(SAMPLES / f"{clip}.mp4") as source:
        for frame in source:
            masks = [model.apply(frame.image) for model in models]
            if frame.index in indices:
                yield beside([frame.image, *(to_bgr(foreground_only(mask)) for mask in masks)], caption)
            if frame.index == indices[-1]:
                break


def beside(pictures: list[np.ndarray], caption: str) -> np.ndarray:
    """Return pictures side by side below their headings, the first one with its caption."""
    width, height = PANEL
    sheet = np.full((BAND + height, 3 * width + 2 * GAP, 3), 255, np.uint8)
    for place, (picture, heading) in enumerate(zip(pictures, HEADINGS, strict=True)):
        left = place * (width + GAP)
        sheet[BAND:, left : left + width] = cv2.resize(picture, PANEL, interpolation=cv2.INTER_AREA)
        text = f"{heading}: {caption}" if place == 0 else heading
        cv2.putText(sheet, text, (left + 2, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (60, 52, 48), 1, cv2.LINE_AA)
    return sheet


def write_moving_picture(path: Path) -> None:
    """Write all scenes one after the other, as a picture that moves in every browser."""
    frames = [frame for clip, (indices, caption) in SCENES.items() for frame in scene(clip, indices, caption)]
    first, *others = [Image.fromarray(frame[:, :, ::-1]) for frame in frames]
    first.save(path, save_all=True, append_images=others, duration=MILLISECONDS, loop=0, quality=62, method=6)


def clustering_section() -> str:
    """Return what is said of clustering."""
    return GUIDE.read_text(encoding="utf-8")


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
    write_moving_picture(PICTURES / "masks.webp")
    section = clustering_section()
    with tempfile.TemporaryDirectory() as folder:
        run_commands(section, Path(folder))
        for name in re.findall(r"/sample_videos/pictures/([\w.-]+)\)", section):
            shutil.copyfile(Path(folder, name), PICTURES / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
