"""Make the README's picture: a frame of a sample video, its mask, and its moving objects tinted and outlined.

python scripts/make_readme_picture.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from bgsub import MOG2, open_source
from bgsub.background.cleanup import Cleanup
from bgsub.video.drawing import overlay, to_bgr
from bgsub.video.stills import write_image

SAMPLES = Path(__file__).parents[1] / "sample_videos"
CLIP, INDEX = "street.mp4", 182
CLEAN = Cleanup(open=2, close=5, min_area=40, fill=True)


def main() -> int:
    model = MOG2()
    with open_source(SAMPLES / CLIP) as source:
        for frame in source:
            mask = model.apply(frame.image)
            if frame.index == INDEX:
                break
    cleaned = CLEAN(mask)
    gap = np.full((frame.image.shape[0], 6, 3), 255, np.uint8)
    picture = np.hstack([frame.image, gap, to_bgr(mask), gap, overlay(frame.image, cleaned)])
    picture = cv2.resize(picture, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    write_image(SAMPLES / "pictures" / "street.png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    return 0


if __name__ == "__main__":
    sys.exit(main())
