"""Which images, videos and other files are read and written, by their extensions."""

from __future__ import annotations

READABLE_IMAGES = frozenset(
    {".avif", ".bmp", ".gif", ".jp2", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"}
)
"""Images that are taken for frames; anything else is left to FFmpeg."""

READABLE_VIDEOS = (
    *(".3gp", ".asf", ".avi", ".dav", ".divx", ".dv", ".f4v", ".flv", ".h264", ".264", ".h265", ".265", ".hevc"),
    *(".m2ts", ".m2v", ".m4v", ".mjpeg", ".mjpg", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".ogv"),
    *(".ts", ".vob", ".webm", ".wmv", ".y4m"),
)
"""Videos that are looked for in a folder. One that is named may have any extension: FFmpeg looks into it."""

WRITABLE_IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")

CONTAINERS = {".mkv": "matroska", ".mp4": "mp4", ".webm": "webm"}
"""FFmpeg's names of the containers that are written."""

WRITABLE_VIDEOS = tuple(CONTAINERS)

WRITABLE_ANIMATIONS = (".gif",)
"""Of overlays alone: masks and cut-outs would lose too much."""

QUALITY = 50
"""Of lossy pictures, from 1 to 100: about the source's size and looks where that was made with care for its size."""

WRITABLE_MODELS = (".bgsub",)
"""Of every kind: the file says which."""

WRITABLE_TABLES: tuple[str, ...] = (".csv", ".parquet", ".pq")

WRITABLE_FIGURES: tuple[str, ...] = (".png", ".jpg", ".svg", ".pdf")
