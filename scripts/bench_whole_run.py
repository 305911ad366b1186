"""Time a whole run (decode, model, masks written) against the same loop written with OpenCV alone.

Both loops read the same file and write lossless masks, FFV1 unless said; they take turns in one process. Their time
is that of the wall clock, and beside it stands that of all processors, which other programs disturb less. Below stands
what each part costs on its own, in one thread: the slowest of them, or their sum over the processors, bounds the whole.

    python scripts/bench_whole_run.py VIDEO                  # as it is, with the adaptive model
    python scripts/bench_whole_run.py VIDEO --method mog2    # with the model of the OpenCV loop
    python scripts/bench_whole_run.py VIDEO --width 1920     # enlarged first, into a temporary file
"""

from __future__ import annotations

import argparse
import functools
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import cv2
import numpy as np

from bgsub import open_source
from bgsub.background.methods import DEFAULT_METHOD, METHODS
from bgsub.pipeline import run
from bgsub.threads import available_processors, threads_beside_io
from bgsub.video.writers.threaded import ThreadedSink
from bgsub.video.writers.videos import mask_sink


def opencv_loop(video: Path, output: Path) -> int:
    """Mask a video as OpenCV's documentation does it."""
    reader = cv2.VideoCapture(str(video))
    size = int(reader.get(cv2.CAP_PROP_FRAME_WIDTH)), int(reader.get(cv2.CAP_PROP_FRAME_HEIGHT))
    writer = cv2.VideoWriter(str(output), cv2.VideoWriter.fourcc(*"FFV1"), reader.get(cv2.CAP_PROP_FPS), size, False)
    subtractor = cv2.createBackgroundSubtractorMOG2()
    n = 0
    while True:
        ok, image = reader.read()
        if not ok:
            writer.release()
            return n
        writer.write(subtractor.apply(image))
        n += 1


def bgsub_loop(video: Path, output: Path, method: str, codec: Literal["ffv1", "h264"] = "ffv1") -> int:
    """Mask a video as `bgsub run` does it."""
    with (
        open_source(video) as source,
        ThreadedSink([mask_sink(output, source.info, overwrite=True, codec=codec)]) as sink,
    ):
        n_pixels = source.info.width * source.info.height
        model = METHODS[method].create(threads=threads_beside_io(n_pixels, available_processors()))
        return run(source, model, [sink]).written


def parts(video: Path, folder: Path, method: str) -> dict[str, float]:
    """Return the milliseconds a frame of each part alone, one after the other in one thread."""
    seconds = dict.fromkeys(("decode", "model", "write"), 0.0)
    model, n = METHODS[method].create(threads=1), 0
    with (
        open_source(video, prefetch=0) as source,
        mask_sink(folder / "parts.mkv", source.info, overwrite=True) as sink,
    ):
        before = time.perf_counter()
        for frame in source:
            decoded = time.perf_counter()
            mask = model.apply(frame.image)
            masked = time.perf_counter()
            sink.write(frame, mask)
            seconds["decode"] += decoded - before
            seconds["model"] += masked - decoded
            before = time.perf_counter()
            seconds["write"] += before - masked
            n += 1
    return {name: 1e3 * value / n for name, value in seconds.items()}


def enlarge(video: Path, width: int, target: Path) -> None:
    """Write `video` at another width as H.264, at the quality of a camera's recording."""
    with open_source(video) as source, av.open(str(target), "w") as container:
        height = round(source.info.height * width / source.info.width / 2) * 2
        stream = container.add_stream("libx264", rate=source.info.fps or Fraction(25), options={"preset": "fast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for frame in source:
            image = cv2.resize(frame.image, (width, height), interpolation=cv2.INTER_CUBIC)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image.astype(np.uint8, copy=False), "bgr24")))
        container.mux(stream.encode())


def timed(loop: Callable[[Path, Path], int], video: Path, output: Path) -> tuple[float, float]:
    """Return milliseconds a frame of one run, by the clock and of all processors."""
    start, worked = time.perf_counter(), time.process_time()
    n = loop(video, output)
    return 1e3 * (time.perf_counter() - start) / n, 1e3 * (time.process_time() - worked) / n


def compared(peer: list[tuple[float, float]], ours: list[tuple[float, float]], which: int) -> str:
    """Return the median of one of the two times, and how many times as long the peer's is."""
    ratio = statistics.median(a[which] / b[which] for a, b in zip(peer, ours, strict=True))
    return f"{statistics.median(one[which] for one in ours):6.2f} ms ({ratio:.1f}x)"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument("--width", type=int, help="enlarge the video to this width first")
    parser.add_argument(
        "--method", choices=list(METHODS), default=DEFAULT_METHOD, help="our model (default: %(default)s)"
    )
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, video = Path(name), arguments.video
        if arguments.width:
            video = folder / f"{video.stem}-{arguments.width}.mp4"
            enlarge(arguments.video, arguments.width, video)
        ours = functools.partial(bgsub_loop, method=arguments.method)
        loops: dict[str, Callable[[Path, Path], int]] = {
            "OpenCV loop": opencv_loop,
            "bgsub": ours,
            "bgsub, h264": functools.partial(ours, codec="h264"),
        }
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in loops}
        ours(video, folder / "warm.mkv")
        for _ in range(arguments.rounds):
            for name, loop in loops.items():
                times[name].append(timed(loop, video, folder / "masks.mkv"))
        setting = f"{arguments.method}, {available_processors()} processors, medians of {arguments.rounds} rounds"
        print(f"{video.name}, {setting}")
        for name, taken in times.items():
            clock, worked = (compared(times["OpenCV loop"], taken, which) for which in (0, 1))
            print(f"  {name:12}{clock} a frame; of all processors {worked}")
        alone = parts(video, folder, arguments.method)
        print("  bgsub, part by part in one thread: " + ", ".join(f"{k} {v:.2f} ms" for k, v in alone.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
