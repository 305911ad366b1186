"""Tiny frames and masks to write, and the reading back of what was written."""

import subprocess
import sys
import textwrap
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from bgsub.video.frame import Frame, VideoInfo

TESTS = str(Path(__file__).parent)


def clip_info(width=64, height=48, fps=Fraction(25), **changes):
    values = {"name": "clip", "frame_count": None, "codec": "h264", "duration": None} | changes
    return VideoInfo(width=width, height=height, fps=fps, **values)


def clip_mask(index, width=64, height=48):
    """A block that moves a pixel a frame, with a shadow to its right."""
    mask = np.zeros((height, width), np.uint8)
    left = index % (width // 2)
    mask[8:24, left : left + 10] = 255
    mask[8:24, left + 10 : left + 14] = 127
    return mask


def clip_image(index, width=64, height=48):
    """A picture whose level tells its index."""
    image = np.empty((height, width, 3), np.uint8)
    image[:] = (40 + index % 100, 90, 160)
    return image


def clip_frame(index, time=None, **size):
    return Frame(index, index / 25 if time is None else time, clip_image(index, **size))


def noise_mask(index, width=64, height=48):
    """A mask that no codec makes small."""
    levels = np.array([0, 127, 255], np.uint8)
    return np.random.default_rng(index).choice(levels, (height, width))


def read_video(path, pix_fmt="bgr24", codec=None):
    """Times and pictures of a video; pix_fmt None keeps the frames as they are."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        if codec is None:
            frames = list(container.decode(stream))
        else:
            decoder = av.CodecContext.create(codec, "r")
            frames = [frame for packet in container.demux(stream) for frame in decoder.decode(packet)]
        base = stream.time_base
    times = [float(frame.pts * base) for frame in frames]
    return times, [frame if pix_fmt is None else frame.to_ndarray(format=pix_fmt) for frame in frames]


def mp4_boxes(path):
    """Names of the top-level boxes of an MP4."""
    data, boxes, position = path.read_bytes(), [], 0
    while position < len(data):
        boxes.append(data[position + 4 : position + 8].decode())
        position += int.from_bytes(data[position : position + 4], "big") or len(data)
    return boxes


def run_python(code):
    """Run code in a process of its own, this module's names in reach."""
    lines = f"import sys; sys.path.insert(0, {TESTS!r})\nfrom sink_clips import *\n" + textwrap.dedent(code)
    return subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, timeout=120)
