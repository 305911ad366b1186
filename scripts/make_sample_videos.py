"""Draw the sample videos: short clips that look like camera footage, with ground truth for every pixel.

Each clip is NAME.mp4 (H.264) and NAME.truth.mkv (FFV1, grey, the labels of changedetection.net: 0 static,
50 hard shadow, 170 unknown, 255 moving). Everything is drawn; the same NumPy and OpenCV give the same frames.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from sample_scenes import CLIPS, Scene
from sample_scenes.encoding import write_clip

from bgsub.errors import BgsubError, OutputError

_LOG = logging.getLogger("make_sample_videos")
_FOLDER = Path(__file__).resolve().parent.parent / "sample_videos"
_CELL = (256, 160)


def frames_with_progress(scene: Scene, name: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the scene's frames and labels; tell the progress about every five seconds."""
    start = told = time.monotonic()
    for index in range(scene.frame_count):
        yield scene.frame(index)
        now = time.monotonic()
        if now - told > 5:
            told = now
            done = index + 1
            left = (now - start) / done * (scene.frame_count - done)
            _LOG.info("%s: frame %d of %d, %.0f s left", name, done, scene.frame_count, left)


def make_clip(name: str, folder: Path) -> None:
    """Draw one clip and write both of its files."""
    clip = CLIPS[name]
    _LOG.info("%s: painting the scene (%s)", name, clip.tests)
    start = time.monotonic()
    folder = folder / clip.folder
    folder.mkdir(exist_ok=True)
    scene = clip.build(1.0)
    count = write_clip(frames_with_progress(scene, name), folder, name, scene.fps, scene.size, clip.kilobits)
    size = sum((folder / f"{name}{suffix}").stat().st_size for suffix in (".mp4", ".truth.mkv"))
    _LOG.info("%s: %d frames, %.0f kB, %.0f s", name, count, size / 1000, time.monotonic() - start)


def read_clip(path: Path, layout: str) -> list[np.ndarray]:
    """Decode a whole small clip."""
    with av.open(path) as container:
        return [frame.to_ndarray(format=layout) for frame in container.decode(video=0)]


def overlaid(picture: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Tint moving pixels red and shadows blue, with a contour around the moving ones."""
    result = picture.astype(np.float32)
    for label, colour in ((255, (40, 40, 255)), (50, (255, 130, 40))):
        where = truth == label
        result[where] = 0.6 * result[where] + 0.4 * np.array(colour, np.float32)
    drawn = result.astype(np.uint8)
    outlines, _ = cv2.findContours((truth == 255).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(drawn, outlines, -1, (60, 60, 255), 1)


def make_picture(folder: Path, names: Iterable[str], path: Path) -> Path:
    """Write a contact sheet: of each clip the frame with most to see, its right half with the truth."""
    cells = [_pair(folder / CLIPS[name].folder, name) for name in names]
    if len(cells) % 2:
        cells.append(np.full_like(cells[0], 255))
    sheet = np.vstack([np.hstack(cells[i : i + 2]) for i in range(0, len(cells), 2)])
    path.parent.mkdir(exist_ok=True)
    if not cv2.imwrite(str(path), sheet, [cv2.IMWRITE_PNG_COMPRESSION, 9]):
        raise OutputError(f"cannot write {path}; choose a folder you can write to")
    return path


def sheets() -> dict[str, list[str]]:
    """Return the clips of each contact sheet: those of every folder on one of their own."""
    return {
        f"{folder or 'samples'}.png": [name for name, clip in CLIPS.items() if clip.folder == folder]
        for folder in dict.fromkeys(clip.folder for clip in CLIPS.values())
    }


def _pair(folder: Path, name: str) -> np.ndarray:
    """Return a clip's frame, and beside it the same with the truth."""
    paths = folder / f"{name}.mp4", folder / f"{name}.truth.mkv"
    if not all(path.is_file() for path in paths):
        raise OutputError(f"no {name}.mp4 with {name}.truth.mkv in {folder}; make all clips first")
    pictures, truths = read_clip(paths[0], "bgr24"), read_clip(paths[1], "gray")
    shares = np.array([(truth == 255).mean() for truth in truths])
    # Not the fullest frame (something fills the view then) but one with plenty to see.
    index = int(np.argmin(np.abs(shares - np.percentile(shares, 85))))
    pair = np.hstack([_cell(pictures[index]), _cell(overlaid(pictures[index], truths[index]))])
    cv2.rectangle(pair, (0, 0), (9 + 9 * len(name), 18), (0, 0, 0), cv2.FILLED)
    cv2.putText(pair, name, (5, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255), 1, cv2.LINE_AA)
    return cv2.copyMakeBorder(pair, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=(255, 255, 255))


def _cell(image: np.ndarray) -> np.ndarray:
    """Crop to the sheet's shape and scale."""
    height, width = image.shape[:2]
    keep_height = min(height, round(width * _CELL[1] / _CELL[0]))
    keep_width = min(width, round(height * _CELL[0] / _CELL[1]))
    top, left = (height - keep_height) // 2, (width - keep_width) // 2
    cropped = image[top : top + keep_height, left : left + keep_width]
    return cv2.resize(cropped, _CELL, interpolation=cv2.INTER_AREA)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: python scripts/make_sample_videos.py --only street night --output /tmp/clips",
    )
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", choices=list(CLIPS), help="clips to make: " + ", ".join(CLIPS)
    )
    parser.add_argument(
        "--output", type=Path, default=_FOLDER, metavar="DIR", help="folder to write to (sample_videos)"
    )
    parser.add_argument(
        "--picture", action="store_true", help="only write pictures/samples.png and apart.png from the clips there"
    )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    cv2.setNumThreads(1)
    try:
        options.output.mkdir(parents=True, exist_ok=True)
        if options.picture:
            for sheet, names in sheets().items():
                _LOG.info("wrote %s", make_picture(options.output, names, options.output / "pictures" / sheet))
            return 0
        for name in options.only or CLIPS:
            make_clip(name, options.output)
    except (BgsubError, OSError) as error:
        _LOG.error("error: %s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
