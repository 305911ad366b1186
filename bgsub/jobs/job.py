"""The description of a run, in plain values: what is read, by which model, and what is written."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

from bgsub.background.cleanup import Cleanup
from bgsub.background.methods import DEFAULT_METHOD, METHODS, method_of
from bgsub.background.region import Polygon
from bgsub.errors import ParameterError
from bgsub.formats import QUALITY
from bgsub.jobs.plain import check_types, from_plain
from bgsub.video.colors import parse_color
from bgsub.video.selection import Selection


@dataclass(frozen=True)
class Excerpt:
    """What of a source is read: the keywords of `bgsub.open_source`, which says what each means.

    Attributes
    ----------
    start, end, duration : float or None
        Seconds; `end` and `duration` exclude each other.
    every : int
        Every so many frames one is read.
    scale : float or None
        Factor up to 1, or a width in pixels.
    fps : float or None
        Frames per second of a source without times; replaces the times of a file.
    stream : int or None
        Number of the stream, of several in a file; None is the best one.
    size, pixel_format : str or None
        Of pictures without a header: ``640x480``, ``yuv420p``.
    reconnect : bool
        Open a network stream or a camera again whenever it drops.
    """

    start: float | None = None
    end: float | None = None
    duration: float | None = None
    every: int = 1
    scale: float | None = None
    fps: float | None = None
    stream: int | None = None
    size: str | None = None
    pixel_format: str | None = None
    reconnect: bool = False

    def __post_init__(self) -> None:
        check_types(self)
        Selection.checked(start=self.start, end=self.end, duration=self.duration, every=self.every, scale=self.scale)


@dataclass(frozen=True)
class ModelChoice:
    """The background model: a new one, or a saved one that goes on.

    Attributes
    ----------
    method : str or None
        Name in `bgsub.background.methods.METHODS`; None is the default method, or that of the saved model.
    parameters : mapping of str to int, float, bool or str
        Parameters and settings by name, and ``value_range``, a list of two numbers; what is missing has its default, or
        what the saved model has. But MOG2's `scale` is "auto" unless told, since videos of more than 8 bits come, too.
    region : str, list of polygons, or None
        Region of interest: path of a mask image, inside where it is not 0; or polygons, each of (x, y) corners. Both
        are in pixels of the source, whatever `Excerpt.scale` says; a mask may have the scaled size instead. None is
        the whole frame.
    threads : int or None
        Most threads of the model; None is half of the processors, since decoding and writing need the others.
    load : str or None
        File of a saved model. It keeps its region, its range and what shapes its state (`n_components`, `precision`).
    """

    method: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    region: str | Sequence[Polygon] | None = None
    threads: int | None = None
    load: str | None = None

    def __post_init__(self) -> None:
        _as_texts(self, ["region", "load"])
        check_types(self)
        _set(self, parameters=dict(self.parameters))
        if self.region is not None and not isinstance(self.region, str):
            _set(self, region=_polygons(self.region))
        if self.load is not None:
            self._refuse_what_is_fixed()
            return
        method = method_of(self.method or DEFAULT_METHOD)
        method.check(self.parameters)
        table = method.parameters
        checked = {n: table[n].check(v) if n in table else v for n, v in self.parameters.items()}
        if checked.get("value_range") is not None:
            checked["value_range"] = [float(value) for value in checked["value_range"]]  # as JSON has it
        _set(self, parameters=checked)

    def _refuse_what_is_fixed(self) -> None:
        if self.method is not None:
            method_of(self.method)
        fixed = {name for method in METHODS.values() for name in method.fixed}
        asked = {*self.parameters, *(() if self.region is None else ("region",))}
        if fixed & asked:
            raise ParameterError(f"{min(fixed & asked)} is fixed in a saved model: leave it out")


@dataclass(frozen=True)
class Outputs:
    """What is written, and where; None is not written.

    With nothing at all, masks go to ``NAME.mask.mkv``, and the overlay to ``NAME.overlay.mp4``, which any player opens.

    Attributes
    ----------
    mask : str or None
        ``.mkv`` (lossless), ``.mp4``, ``.webm``, or a folder of PNG files.
    mask_codec : {'ffv1', 'h264'}
        Of a ``.mkv``; both are lossless.
    overlay : str or None
        The video with its moving objects tinted and outlined: ``.mp4``, ``.mkv``, ``.webm``, ``.gif``.
    color : str or None
        Of moving objects in the overlay: a name such as ``magenta``, or ``#ff00aa``; None is one that the scene lacks.
    quality : int
        Of the overlay and of cut-outs in .mp4 and .webm, from 1 (smallest) to 100.
    foreground : str or None
        Moving objects cut out: ``.mp4``, ``.webm``, ``.mkv``, or a folder of PNG files.
    background : str or None
        Image of the learned background at the end.
    stats : str or None
        Table of each frame's time and moving share: ``.csv``, ``.jsonl``, ``-`` for standard output.
    save_model : str or None
        The learned model at the end: ``.bgsub``.
    overwrite : bool
        Replace what exists.
    """

    mask: str | None = None
    mask_codec: Literal["ffv1", "h264"] = "ffv1"
    overlay: str | None = None
    color: str | None = None
    quality: int = QUALITY
    foreground: str | None = None
    background: str | None = None
    stats: str | None = None
    save_model: str | None = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        _as_texts(self, ["mask", "overlay", "foreground", "background", "stats", "save_model"])
        check_types(self)
        if self.color is not None:
            parse_color(self.color)
        if not 1 <= self.quality <= 100:
            raise ParameterError(f"quality={self.quality} is out of bounds; give 1 (smallest) to 100")


@dataclass(frozen=True)
class Job:
    """One run: a source through a background model to outputs. `bgsub.jobs.execute` does it.

    Everything is checked that can be without opening a file; the rest is when the job is executed.

    Attributes
    ----------
    source : str, int, or sequence of them
        What `bgsub.open_source` takes: a file, a URL, a camera's number, a folder or pattern of images; several are
        one timeline, through one model.
    excerpt : Excerpt
        What of it is read.
    model : ModelChoice
        What masks it.
    cleanup : Cleanup
        What is done to each mask before it is written.
    outputs : Outputs
        What is written.
    learning_rate : float in [0, 1] or None
        Weight of a new frame in the background; None is the model's own, 0 freezes a model that has learned.
    warm_up : float
        Seconds from the first frame that are learned and not written.
    two_pass : bool
        Learn from the whole source first, and mask it then.

    Raises
    ------
    ParameterError
        When a value is of another type, out of its bounds, or contradicts another.
    """

    source: str | int | Sequence[str | int]
    excerpt: Excerpt = field(default_factory=Excerpt)
    model: ModelChoice = field(default_factory=ModelChoice)
    cleanup: Cleanup = field(default_factory=Cleanup)
    outputs: Outputs = field(default_factory=Outputs)
    learning_rate: float | None = None
    warm_up: float = 0.0
    two_pass: bool = False

    def __post_init__(self) -> None:
        _as_texts(self, ["source"])
        check_types(self)
        if not isinstance(self.source, (str, int)):
            _set(self, source=_parts(self.source))
        if not (math.isfinite(self.warm_up) and self.warm_up >= 0):
            raise ParameterError(f"warm_up={self.warm_up} is out of bounds; give seconds from 0")
        if self.learning_rate == 0 and self.model.load is None and not self.two_pass:
            raise ParameterError("learning_rate=0 freezes a model that has learned nothing: load one, or take two_pass")

    @property
    def sources(self) -> tuple[str | int, ...]:
        """What is read, one after another: mostly one."""
        return (self.source,) if isinstance(self.source, (str, int)) else tuple(self.source)

    @property
    def shown(self) -> str:
        """What messages call the source."""
        first, *more = self.sources
        return f"{first} and {len(more)} more" if more else str(first)

    def as_dict(self) -> dict[str, Any]:
        """Return the job in types that JSON has."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return the job that `as_dict` described, also after a way through JSON.

        Raises
        ------
        ParameterError
            When a name is unknown or missing, or a value is none for it.
        """
        return from_plain(cls, values, "the job")


def _polygons(region: Iterable[Iterable[Iterable[float]]]) -> list[list[list[float]]]:
    """Return polygons as JSON can hold them, or raise ParameterError."""
    try:
        return [[[float(x), float(y)] for x, y in polygon] for polygon in region]
    except (TypeError, ValueError):
        raise ParameterError(
            "region is no list of polygons: give each as a list of corners (x, y) in pixels, or the path of an image"
        ) from None


def _parts(sources: Iterable[Any]) -> tuple[str | int, ...]:
    """Return several sources as JSON can hold them, or raise ParameterError."""
    parts = tuple(os.fspath(part) if isinstance(part, os.PathLike) else part for part in sources)
    if not parts or not all(isinstance(part, (str, int)) and not isinstance(part, bool) for part in parts):
        raise ParameterError("source is no list of sources: give one or more names of files, URLs or cameras")
    return parts


def _as_texts(value: object, names: Sequence[str]) -> None:
    """Make paths among the fields of a frozen dataclass texts."""
    for name in names:
        if isinstance(getattr(value, name), os.PathLike):
            _set(value, **{name: os.fspath(getattr(value, name))})


def _set(value: object, **fields: Any) -> None:
    """Set fields of a frozen dataclass while it is made."""
    for name, new in fields.items():
        object.__setattr__(value, name, new)
