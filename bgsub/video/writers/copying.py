"""Copies of a part of a video, without decoding it: whole groups of pictures, from a key frame on, and their sound."""

from __future__ import annotations

import io
import logging
import math
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
from av.container import OutputContainer

from bgsub.errors import OutputError, ParameterError, SourceError
from bgsub.files import replacing
from bgsub.formats import CONTAINERS
from bgsub.outputs import check_output
from bgsub.video.opening import open_source
from bgsub.video.readers.container import ContainerSource
from bgsub.video.readers.groups import NEVER, Group, refusal, shown_at, where_clock_is_set
from bgsub.video.readers.packets import PacketSource, open_packets
from bgsub.video.sound import Sound
from bgsub.video.writers.encode import explain_error
from bgsub.video.writers.sound import SoundTrack, is_copied

logger = logging.getLogger(__name__)

_IN_MP4 = {"h264", "hevc", "av1", "vp9", "mpeg4"}  # what players expect there; Matroska holds all that FFmpeg names
_BACK = (0.0, 2.0, 20.0, 120.0)  # seconds before the place at which a seek is tried, where it leads beyond
_TOLERANCE = 1e-6
_LEAST_GAP = 2e-3  # seconds: chapters are told in milliseconds
_ASSUMED_RATE = 25
_WAIT_FOR_SOUND = "250000"  # microseconds that pictures wait for it, which may be none for a while


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy holds.

    Attributes
    ----------
    path : Path
        The copy.
    start, end : float
        Seconds of the source: from its first picture, a key frame at or before what was asked for, to when its last
        ends.
    pictures : int
        How many.
    sound : bool
        Whether there is sound.
    """

    path: Path
    start: float
    end: float
    pictures: int
    sound: bool


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part of a video with a title.

    Attributes
    ----------
    start, end : float
        Seconds from the video's first frame.
    title : str
        What players show.
    """

    start: float
    end: float
    title: str


def copy_clip(
    source: str | os.PathLike[str],
    start: float,
    end: float,
    target: str | os.PathLike[str],
    *,
    stream: int | None = None,
    overwrite: bool = False,
    chapters: Sequence[Chapter] = (),
) -> Copied:
    """Copy a part of a video file and its sound, without decoding it.

    Parameters
    ----------
    source : str or path-like
        A video file.
    start, end : float
        Seconds from the source's first frame. The copy begins with the last key frame at or before the start, and has
        all pictures that are shown before the end.
    target : str or path-like
        ``.mkv``, or ``.mp4`` where the codec may be in it; `Copier.suffix` says which. It appears when it is whole.
    stream : int, optional
        Number of the stream of pictures, as of `open_source`.
    overwrite : bool
        Let an existing file be replaced.
    chapters : sequence of Chapter
        Written into the copy instead of the source's own; their times are the source's.

    Returns
    -------
    Copied
        What it holds: how far it reaches over.

    Raises
    ------
    SourceError
        When the source is none that can be copied, or nothing of it lies there.
    OutputError
        When the target cannot be written.
    """
    return Copier(source, stream=stream).copy(start, end, target, overwrite=overwrite, chapters=chapters)


class Copier:
    """Copies parts of one video file.

    Parameters
    ----------
    source : str or path-like
        A video file.
    stream : int, optional
        Number of the stream of pictures, as of `open_source`.

    Attributes
    ----------
    suffix : str
        ``.mp4`` where players expect its codecs there, else ``.mkv``, which takes nearly all.

    Raises
    ------
    SourceError
        When it is none that can be copied; encoding its clips anew is the way then.
    """

    def __init__(self, source: str | os.PathLike[str], *, stream: int | None = None) -> None:
        self._stream = stream
        with open_source(source, stream=stream, prefetch=0) as opened:
            name = opened.info.name
            if not isinstance(opened, ContainerSource):
                raise SourceError(refusal(name, "images are no video"))
            if opened.origin is None:
                raise SourceError(refusal(name, "it is no file that tells its own times"))
            self._origin, self._sound, self._name = opened.origin, opened.sound, name
            self._location = opened.location
            self._rate = opened.info.fps or Fraction(_ASSUMED_RATE)
        self._set_at: float | None = None
        with open_packets(self._location, stream=stream) as packets:
            audio = packets.input.container.streams.best("audio") if self._sound else None
            self._chapters = _chapters_of(packets.input.container, self._origin)
            self.suffix = ".mp4" if packets.codec in _IN_MP4 and not _asks_for_mkv(audio) else ".mkv"
            if packets.joined:
                self._set_at = where_clock_is_set(packets)
        if self._set_at is not None:
            raise SourceError(refusal(name, f"its clock is set at {self._set_at:.1f} s"))

    def copy(
        self,
        start: float,
        end: float,
        target: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        chapters: Sequence[Chapter] = (),
    ) -> Copied:
        """Copy what is shown from a time to another; parameters, result and errors are those of `copy_clip`."""
        if not end > start:
            raise ParameterError(f"end={end} is out of bounds; give seconds above start={start:g}")
        path = check_output(target, overwrite=overwrite, source=self._location, suffixes=(".mp4", ".mkv"))
        key = self._key_before(start)
        with self._from(key) as packets, replacing(path) as temporary:
            # An .mp4 hides pictures that are only decoded; elsewhere they would have times below 0.
            zero = max(key, self._ticks(packets, 0.0)) if path.suffix.lower() == ".mp4" else key
            begin = float(zero * packets.time_base - self._origin)
            film = _Film(path, temporary, packets, self._sound_from(zero * packets.time_base))
            film.open(_from_to(chapters or self._chapters, begin, end))
            group = Group(packets, key, self._ticks_up_to(packets, end), self._rate)
            try:
                for packet in group:
                    film.write(packet, zero)
                until = float(group.end * packets.time_base - self._origin)
                if until <= start:
                    raise SourceError(f"nothing of {self._name} lies after {start:.2f} s: it ends at {until:.2f} s")
                film.close(until - begin)
            except (av.error.FFmpegError, OSError) as error:
                reason, advice = explain_error(error)
                raise OutputError(f"cannot write {path}: {reason}; {advice}") from error
            finally:
                film.release()
        return Copied(path, begin, until, sum(stamp >= zero for stamp in group.shown), film.heard)

    def _ticks(self, packets: PacketSource, time: float) -> int:
        return math.floor((self._origin + Fraction(time + _TOLERANCE)) / packets.time_base)

    def _sound_from(self, begin: Fraction) -> Sound | None:
        return None if self._sound is None else Sound(self._sound.path, begin)

    def _key_before(self, start: float) -> int:
        """Return the time stamp of the last key frame at or before a time."""
        for back in (*_BACK, None):
            with open_packets(self._location, stream=self._stream) as packets:
                wanted = self._ticks(packets, max(start, 0.0))
                if back is not None and not _seek(packets, wanted - round(back / packets.time_base)):
                    continue
                found = None
                for packet in packets:
                    if packet.keyframe and shown_at(packet.data, packets) <= wanted:
                        found = shown_at(packet.data, packets)
                    if packet.data.dts is not None and packet.data.dts > wanted:
                        break
                if found is not None:
                    return found
        raise SourceError(f"nothing of {self._name} can be copied from {start:.2f} s on: no key frame lies before it")

    def _from(self, key: int) -> PacketSource:
        """Open the file so that the key frame of a time stamp is the next packet."""
        for back in (*_BACK, None):
            packets = open_packets(self._location, stream=self._stream)
            if back is None or _seek(packets, key - round(back / packets.time_base)):
                for packet in packets:
                    if packet.keyframe and shown_at(packet.data, packets) == key:
                        packets.unread([packet])
                        return packets
                    if packet.data.dts is not None and packet.data.dts > key:
                        break
            packets.close()
        raise SourceError(refusal(self._name, "its key frame is not found again"))

    def _ticks_up_to(self, packets: PacketSource, end: float) -> int:
        """Return the time stamp from which on nothing is wanted."""
        return NEVER if math.isinf(end) else math.ceil((self._origin + Fraction(end - _TOLERANCE)) / packets.time_base)


class _Film:
    """The container of a copy."""

    def __init__(self, path: Path, temporary: Path, packets: PacketSource, sound: Sound | None) -> None:
        self.heard = False
        self._path, self._temporary = path, temporary
        self._packets = packets
        self._sound = sound
        self._track: SoundTrack | None = None
        self._container: OutputContainer | None = None
        self._decoded: int | None = None

    def open(self, chapters: Sequence[Chapter]) -> None:
        """Write the head; sound that the container does not take as it is, is encoded."""
        suffix = self._path.suffix.lower()
        for anew in (False, True):
            options = {"avoid_negative_ts": "disabled", "max_interleave_delta": _WAIT_FOR_SOUND}
            if suffix == ".mp4":
                options["movflags"] = "faststart"
            try:
                container = av.open(
                    f"file:{self._temporary}", "w", format=CONTAINERS[suffix], container_options=options
                )
                self._container = container
                self._stream: Any = container.add_stream_from_template(self._packets.stream, opaque=True)
                self._stream.time_base = self._packets.time_base
                self._add_sound(container, suffix, anew)
                if suffix == ".mp4":
                    chapters = _without_gaps(chapters)
                if chapters:
                    container.set_chapters([_as_av(number, chapter) for number, chapter in enumerate(chapters)])
                container.start_encoding()
                return
            except (av.error.FFmpegError, OSError, ValueError) as error:
                heard = self.heard
                self.release()
                if heard and not anew:
                    continue
                reason, advice = explain_error(error)
                if isinstance(error, (ValueError, av.error.ArgumentError)):
                    reason, advice = f"{self._packets.codec} cannot be copied into {suffix}", "choose .mkv"
                raise OutputError(f"cannot write {self._path}: {reason}; {advice}") from error

    def _add_sound(self, container: OutputContainer, suffix: str, anew: bool) -> None:
        if self._sound is None:
            return
        try:
            self._track = SoundTrack(self._sound, 0.0, Fraction(1))
            self._track.add_to(container, suffix, anew=anew)
            self.heard = True
        except SourceError as error:
            logger.warning("%s is without sound: %s", self._path, error)
            self.heard = False

    def write(self, packet: av.Packet, zero: int) -> None:
        """Copy a picture; its sound comes along."""
        assert self._container is not None
        shown = shown_at(packet, self._packets) - zero
        decoded = shown if packet.dts is None else min(packet.dts - zero, shown)
        if self._decoded is not None:
            decoded = max(decoded, self._decoded + 1)
        self._decoded = decoded
        packet.stream = self._stream
        packet.pts, packet.dts, packet.time_base = max(shown, decoded), decoded, self._packets.time_base
        self._copy_sound(float(decoded * self._packets.time_base))
        self._container.mux(packet)

    def _copy_sound(self, until: float) -> None:
        assert self._container is not None
        if self.heard and self._track is not None:
            for packet in self._track.until(until):
                self._container.mux(packet)

    def close(self, end: float) -> None:
        """Write the sound up to the end, and what ends the file."""
        self._copy_sound(end)
        container, self._container = self._container, None
        assert container is not None
        container.close()

    def release(self) -> None:
        """Close what is open, whatever happened."""
        if self._track is not None:
            self._track.close()
            self._track = None
        container, self._container = self._container, None
        if container is not None:
            with suppress(av.error.FFmpegError, OSError, ValueError):  # what went wrong is known
                container.close()


def _seek(packets: PacketSource, stamp: int) -> bool:
    try:
        packets.seek(stamp)
    except SourceError:
        return False
    return True


def _asks_for_mkv(sound: Any) -> bool:
    """Say whether sound can be kept as it is, but not in .mp4."""
    if sound is None or is_copied(".mp4", sound.codec_context):
        return False
    with av.open(io.BytesIO(), "w", format="matroska") as container:
        return sound.codec_context.codec.canonical_name in container.supported_codecs


def _chapters_of(container: Any, origin: Fraction) -> tuple[Chapter, ...]:
    """Return the chapters of an open file, from the first picture on."""
    found = []
    for told in container.chapters():
        start, end = (float(told[name] * told["time_base"] - origin) for name in ("start", "end"))
        found.append(Chapter(start, end, told["metadata"].get("title", "")))
    return tuple(found)


def _from_to(chapters: Sequence[Chapter], begin: float, end: float) -> list[Chapter]:
    """Return the chapters of a part, whose time counts from its beginning."""
    inside = [chapter for chapter in chapters if chapter.start < end and chapter.end > begin]
    return [replace(c, start=max(c.start - begin, 0.0), end=min(c.end, end) - begin) for c in inside]


def _without_gaps(chapters: Sequence[Chapter]) -> list[Chapter]:
    """Return chapters with nameless ones between them: in MP4 each begins where the one before ends."""
    filled, until = [], 0.0
    for chapter in sorted(chapters, key=lambda chapter: chapter.start):
        if chapter.start > until + _LEAST_GAP:
            filled.append(Chapter(until, chapter.start, ""))
        filled.append(chapter)
        until = max(until, chapter.end)
    return filled


def _as_av(number: int, chapter: Chapter) -> Any:
    """Return a chapter as PyAV takes it."""
    start, end = (round(1000 * max(0.0, time)) for time in (chapter.start, chapter.end))
    title = {"title": chapter.title}
    return {"id": number, "start": start, "end": max(end, start + 1), "time_base": Fraction(1, 1000), "metadata": title}
