"""From one picture after another of a camera to what moves in it and when that is an event; nothing here grows."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from bgsub.background.methods import DEFAULT_METHOD
from bgsub.background.model import BackgroundModel
from bgsub.errors import BgsubError
from bgsub.jobs.job import ModelChoice
from bgsub.live.looking.settling import Settling
from bgsub.live.looking.zones import Loitering, placed
from bgsub.live.settings import Camera
from bgsub.masks import foreground_share
from bgsub.motion.blobs import least_area
from bgsub.motion.crossings import Borders
from bgsub.motion.events import Event, EventFinder, Rule
from bgsub.motion.job import ScanJob
from bgsub.motion.looking import Look
from bgsub.motion.observing import Observation
from bgsub.motion.standing import Aftermath
from bgsub.motion.tracking import Track, Tracker
from bgsub.motion.under_way import Sighting
from bgsub.video.frame import Frame, VideoInfo

logger = logging.getLogger(__name__)

_THRESHOLD = 0.001  # share of what is looked at that moves in an event, at a sensitivity of 1; as of the preset "night"
_MOST_TRACKS = 500  # of an event, in its file


class Picture(Protocol):
    """What is asked of a picture: `bgsub.video.live.LivePicture` is one."""

    @property
    def index(self) -> int:
        """Number, from 0."""

    @property
    def time(self) -> float:
        """Seconds on a timeline that goes on over gaps."""

    @property
    def image(self) -> np.ndarray:
        """Grey, small."""

    @property
    def gap(self) -> float:
        """Seconds for which the camera was away just before."""


class Over(NamedTuple):
    """An event that is over, and its tracks, with those of their sightings that are in it."""

    event: Event
    tracks: tuple[Track, ...]


class Seen(NamedTuple):
    """What a picture shows.

    Attributes
    ----------
    now : Observation
        What moves.
    objects : mapping of int to Sighting
        Tracks that it shows, by number.
    event : Event or None
        The one that is open, from when it is known to be one.
    over : tuple of Over
        Events that are over with this picture.
    learned_only : bool
        Nothing in it is believed yet.
    """

    now: Observation
    objects: Mapping[int, Sighting]
    event: Event | None
    over: tuple[Over, ...]
    learned_only: bool


class Watching:
    """Watches the pictures of one stream, which all have one size; it holds the model.

    Parameters
    ----------
    camera : Camera
        What is asked for.
    info : VideoInfo
        Of the small pictures, with the size of the large ones as `VideoInfo.source_size`.
    saved : Path, optional
        File of a model that was saved; where it does not fit, all is learned anew.

    Attributes
    ----------
    mask : ndarray of uint8, shape (h, w)
        Of the last picture: 255 is what moves.

    Raises
    ------
    ParameterError
        When a zone does not fit.
    """

    def __init__(self, camera: Camera, info: VideoInfo, saved: Path | None = None) -> None:
        self.size = info.source_size or (info.width, info.height)
        zones = placed(camera.zones, self.size)
        job = ScanJob(
            camera.source,
            model=ModelChoice(camera.method or DEFAULT_METHOD, threads=1),  # cameras share the processors
            zones=zones,
            min_area=least_area(self.size) / camera.sensitivity,
        )
        self._look = _look(job, info, saved)
        self._rule = Rule(
            threshold=_THRESHOLD / camera.sensitivity,
            min_length=camera.min_length,
            max_length=max(camera.longest, camera.min_length + 1),
            merge=camera.merge,
        )
        self._finder = EventFinder(self._rule, self._look.n_pixels)
        self._aftermath = Aftermath(self._look.factor)
        self._tracker, self._borders = Tracker(), Borders(zones, self.size)
        self._loitering, self._loitered = Loitering(camera.zones, self.size), frozenset[str]()
        self._settling = Settling()
        self._ended: list[Track] = []  # while an event is open
        self._name = camera.name

    @property
    def mask(self) -> np.ndarray:
        """Of the last picture: 255 is what moves."""
        return self._look.mask

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the pictures."""
        return self._look.mask.shape

    @property
    def loiter(self) -> float:
        """Seconds that a zone asks for at most before an event is known to be one."""
        return self._loitering.longest

    def background(self) -> np.ndarray | None:
        """Return the learned background, grey; None before the first picture."""
        return self._look.background()

    def learned(self) -> BackgroundModel:
        """Return a copy of the model, which another thread may save."""
        return self._look.learned()

    def look(self, picture: Picture) -> Seen:
        """Look at a picture, and learn it."""
        now, blobs = self._look(Frame(picture.index, picture.time, picture.image))
        learned_only = self._settle(picture)
        if learned_only:
            now, blobs = Observation(now.frame, now.time, light=True), ()
        for track in self._tracker.update(now._replace(blobs=blobs)):
            if self._finder.is_open and len(self._ended) < _MOST_TRACKS:
                self._ended.append(track)
        objects = self._tracker.now()
        if self._loitering.names:
            self._loitered |= self._loitering.update(now.time, objects)
            now = now._replace(zones=tuple(name for name in now.zones if name not in self._loitering.names))
        closed = self._finder.update(now, tuple(objects))
        closed = self._aftermath.update(
            now.time, picture.image, closed, is_open=self._finder.is_open, moves=self._finder.moves
        )
        over = self._told(closed)
        if not self._finder.is_open:
            self._ended, self._loitered = [], frozenset()
        event = self._finder.event
        is_event = event is not None and event.length >= self._rule.min_length and self._is_wanted()
        return Seen(now, objects, self._named(event) if event and is_event else None, over, learned_only)

    def finish(self, end: float) -> tuple[Over, ...]:
        """Return the event that is open when no picture comes any more."""
        return self._told(self._aftermath.finish(self._finder.finish(end)))

    def _settle(self, picture: Picture) -> bool:
        before = self._settling.upsets
        learned_only = self._settling.update(picture.time, picture.gap, foreground_share(self._look.mask))
        if self._settling.upsets > before:
            logger.info("camera %s: most of the picture has changed at once; it is learned first", self._name)
        if self._settling.starts_anew:
            logger.info("camera %s shows another scene, which is learned anew", self._name)
            self._look.forget()
        return learned_only

    def _told(self, closed: list[Event]) -> tuple[Over, ...]:
        """Return events that were wanted, with their tracks; what was gathered for them is let go."""
        if not closed:
            return ()
        over = []
        if self._is_wanted():
            tracks = [*self._ended, *self._tracker.so_far()]
            for event in closed:
                own = (self._borders.crossed_by(track) for track in tracks if track.number in event.tracks)
                over.append(Over(self._named(event), tuple(part for track in own for part in _within(track, event))))
        self._ended, self._loitered = [], frozenset()
        return tuple(over)

    def _is_wanted(self) -> bool:
        return not self._loitering.decides or bool(self._loitered)

    def _named(self, event: Event) -> Event:
        return replace(event, zones=tuple(sorted({*event.zones, *self._loitered})))


def _look(job: ScanJob, info: VideoInfo, saved: Path | None) -> Look:
    """Return what looks, with the saved model where there is one that fits."""
    if saved is not None and saved.exists():
        try:
            return Look(replace(job, model=ModelChoice(job.model.method, threads=1, load=str(saved))), info)
        except BgsubError as error:
            logger.warning("%s is not used, all is learned anew: %s", saved.name, error)
    return Look(job, info)


def _within(track: Track, event: Event) -> list[Track]:
    """Return the part of a track that is in an event: one, or none."""
    sightings = tuple(s for s in track.sightings if event.start <= s.time <= event.end)
    crossings = tuple(c for c in track.crossings if event.start <= c.time <= event.end)
    return [Track(track.number, sightings, crossings)] if sightings else []
