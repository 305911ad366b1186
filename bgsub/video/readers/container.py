"""Frames of video files, pipes and network streams, through PyAV."""

from __future__ import annotations

import collections
import itertools
import logging
import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from time import monotonic

import av
import av.error
import numpy as np

from bgsub.errors import SourceError
from bgsub.stores.store_paths import as_path
from bgsub.video.frame import Frame, VideoInfo
from bgsub.video.readers import seeking
from bgsub.video.readers.demuxing import duration_of, frame_steps, pixel_shape
from bgsub.video.readers.lag import Lag
from bgsub.video.readers.moments import recorded_in, shown_for, timecode_in
from bgsub.video.readers.orientation import Orientation
from bgsub.video.readers.packets import PacketSource, open_packets
from bgsub.video.readers.pictures import PictureConverter
from bgsub.video.readers.raw import RawPictures, advice
from bgsub.video.readers.refusals import PIPED_MP4, one_line
from bgsub.video.readers.streams import list_streams, set_decoder
from bgsub.video.readers.timestamps import Stamped, Timestamps
from bgsub.video.readers.wholeness import shortfall
from bgsub.video.selection import Selection
from bgsub.video.sound import Sound
from bgsub.video.source import Source

log = logging.getLogger(__name__)

_ASSUMED_RATE = 25  # of a stream that tells no rate, between frames without time stamps
_SEEK_FROM_S = 3.0  # decoding less than this takes no longer than a seek
_MOST_WAITING = 32  # frames in a decoder's threads and in its queue for reordering
_TAKEN = 2  # frames after which a model has been compiled and loaded
_MOST_ARRIVALS = 4096
_SOON_S = 0.001  # containers round their beginning

_Timed = tuple[int, float, av.VideoFrame]


class ContainerSource(Source):
    """Frames of a video container, with the container's times.

    Damaged frames are counted and skipped; pictures of another size than the first are brought to its size. A file
    that is cut off ends early, with a warning; a live stream that breaks off is an error.

    Parameters
    ----------
    location : str
        Path of a file, URL, or ``-`` for standard input.
    selection : Selection
        Frames it does not want are decoded, but not converted.
    rate : Fraction or None
        Frames per second that replace the container's times.
    stream : int or None
        Number of the stream in its container; None is the best one.
    raw : RawPictures or None
        How pictures without a header are read.

    Attributes
    ----------
    location : str
        As above.
    origin : Fraction or None
        Seconds, on a file's own clock, of what is called 0; None where times are not those of a file.
    """

    def __init__(
        self,
        location: str,
        selection: Selection,
        rate: Fraction | None = None,
        *,
        stream: int | None = None,
        raw: RawPictures | None = None,
    ) -> None:
        self.location = location
        self._stream, self._raw = stream, raw
        self._selection = selection
        self._rate = rate
        self._open()
        try:
            self._first = self._first_frame()
            self._orientation = Orientation.of_picture(self._first[2])
            self._convert = PictureConverter(self._first[2], selection)
            self.info = self._info()
            self.origin = self._where_time_begins()
            self.sound = self._where_sound_is()
            self._frames = self._read()
        except BaseException as error:
            self._packets.close()
            if isinstance(error, Exception) and not isinstance(error, SourceError):
                raise SourceError(f"cannot open {self._input.shown}: {one_line(error)}; check the file") from error
            raise

    def _open(self) -> None:
        """Open the container at its beginning."""
        self._read_from(self._opened())

    def _opened(self) -> PacketSource:
        return open_packets(self.location, stream=self._stream, raw=self._raw, rate=self._rate)

    def _read_from(self, packets: PacketSource) -> None:
        """Decode these packets from now on, from a state in which nothing is known."""
        self._packets = packets
        self._input = packets.input
        self.repeatable = packets.repeatable
        set_decoder(self._input.stream, self._selection, live=packets.live)
        period = 1 / (self._rate or self._packets.fps or _ASSUMED_RATE)
        self._times: Timestamps[tuple[int, av.VideoFrame]] = Timestamps(
            self._packets.time_base,
            float(period),
            joined=packets.joined,
            told=self._tell_of_clock,
        )
        self.damaged = 0
        self._index = 0
        self._told_size = False
        self._unconverted = 0
        self._broken: SourceError | None = None
        self._sought = False
        self._arrival: float | None = None  # of the packet that was decoded last
        self._arrivals: collections.deque[tuple[int, float]] = collections.deque(maxlen=_MOST_ARRIVALS)
        self._lag = Lag()
        self._timed = self._stamp(self._pictures())

    def _first_frame(self) -> _Timed:
        """Decode the first frame: it alone tells the rotation, and whether anything can be decoded."""
        for timed in self._timed:
            return timed
        reason = f"not one frame of it can be decoded ({self.damaged} damaged); check the file"
        if self._input.kind == "pipe" and self._input.container.format.name.startswith("mov,"):
            reason = PIPED_MP4
        elif self._input.kind == "file" and self._raw is None:
            reason = advice(self.location) or reason
        raise SourceError(f"cannot open {self._input.shown}: {reason}")

    def _info(self) -> VideoInfo:
        shape = pixel_shape(self._input)
        duration = duration_of(self._input, self._rate) if self._rate else self._packets.duration
        fps = self._rate or self._packets.fps
        self._selection = self._selection.thinned(fps)
        whole = self._selection.start == 0 and math.isinf(self._selection.end)
        return self._selection.narrowed(
            VideoInfo(
                name=self._input.name,
                width=self._convert.width,
                height=self._convert.height,
                fps=fps,
                frame_count=self._input.n_frames,
                codec=self._input.codec,
                duration=duration,
                time_base=1 / self._rate if self._rate else self._packets.time_base,
                live=self._packets.live,
                start_time=self._start_time(),
                sample_aspect_ratio=1 / shape if self._orientation.turns % 2 else shape,
                bits=self._convert.bits,
                recorded=recorded_in(self._input, self.location, self._start_time()),
                timecode=timecode_in(self._input),
            ),
            uniform=bool(self._rate) or (not whole and len(frame_steps(self._input.stream)) == 1),
        )

    def _start_time(self) -> float:
        """Return the seconds from the beginning of the container, as players count them, to the first frame."""
        began, stamp = self._input.container.start_time, self._first[2].pts
        if self._rate or self._packets.live or began is None or stamp is None:
            return 0.0
        late = float(stamp * self._packets.time_base - Fraction(began, av.time_base))
        # Alone it begins the file; what delays it by a frame is the order of decoding.
        alone = len(self._input.container.streams) == 1
        return late if late > (2 / (self._packets.fps or _ASSUMED_RATE) if alone else _SOON_S) else 0.0

    def _where_sound_is(self) -> Sound | None:
        """Return where the sound is; None where there is none, and where it could not be kept in step."""
        if self.origin is None or not self._input.container.streams.audio:
            return None
        return Sound(self.location, self.origin)

    def _where_time_begins(self) -> Fraction | None:
        """Return the seconds of 0 on the file's own clock; None of what is no file, and where times are not its own."""
        stamp = self._first[2].pts
        if self._rate or self._input.kind != "file" or stamp is None:
            return None
        return stamp * self._packets.time_base

    def describe(self) -> dict[str, object]:
        """Return all that is known of the source, in types that JSON has."""
        stream, container, picture = self._input.stream, self._input.container, self._first[2]
        steps = frame_steps(stream)
        return super().describe() | {
            "start_time": self.info.start_time,
            "container": container.format.name,
            "pixel_format": picture.format.name,
            "rotation": 90 * self._orientation.turns,
            "mirrored": self._orientation.mirrored,
            "bit_rate": stream.bit_rate or container.bit_rate or None,
            # One tick more or less is the rounding of an even rate to ticks.
            "variable_frame_rate": max(steps) - min(steps) > 1 if steps else None,
            "audio": bool(container.streams.audio),
            "stream": stream.index,
            "streams": list_streams(container),
        }

    def __iter__(self) -> Iterator[Frame]:
        return self._frames

    def _read(self) -> Iterator[Frame]:
        """Yield the selected frames; it is not started before the caller asks for the first."""
        if self._packets.closed:
            return
        delivered, time = False, 0.0
        self._seek()
        frames = self._timed if self._sought else itertools.chain([self._first], self._timed)
        for index, time, picture in frames:
            if self._selection.over(time):
                return
            if self._selection.wants(index, time):
                self._tell_other_size(index, time, picture)
                image = self._image(index, picture)
                if image is None:
                    continue
                yield Frame(index, time, image, duration=shown_for(picture, self._packets, self._rate))
                delivered = True
                # Closed between two frames: the container must not be touched again.
                if self._packets.closed:
                    return
        self._warn_if_short(time)
        if not delivered and self._unconverted:
            raise SourceError(
                f"cannot read {self._input.shown}: not one picture of it can be converted "
                f"({self._unconverted} tried); check the file"
            )
        if not delivered:
            raise self._selection.nothing_in(self._input.shown, time)

    def abandon(self) -> None:
        """Ask the iteration to end soon, from any thread."""
        self._packets.abandon()

    def close(self) -> None:
        """Close the file or connection; call it in the thread that iterates, or when none does."""
        self._packets.close()

    def _seek(self) -> None:
        """Begin to decode at a keyframe before the selection's start, where its index can be told for certain.

        Elsewhere frames are counted from the first, decoded but not converted to BGR.
        """
        picture, stamp = self._first[2], self._first[2].pts
        if self._selection.start < _SEEK_FROM_S or self._input.kind != "file" or stamp is None:
            return
        if picture.interlaced_frame and self._packets.joined:
            return  # the two fields of a picture may be packets of their own there
        first = seeking.Beginning(self._first[0], stamp)
        found = seeking.find(self._opened, first, self._selection.start, self._rate)
        if found is None:
            return
        self._packets.close()
        packets, landing = found
        self._read_from(packets)
        pictures = self._pictures()
        landed = next((picture for picture in pictures if picture.pts is None or picture.pts >= landing.stamp), None)
        if landed is None or landed.pts != landing.stamp:
            self._packets.close()
            self._open()
            self._first = self._first_frame()
            return
        self.damaged = 0  # a broken frame before the start is none of this run's
        self._index = landing.index
        self._sought = True
        self._times.start_from(stamp)
        self._timed = self._stamp(itertools.chain([landed], pictures))

    def _stamp(self, pictures: Iterable[av.VideoFrame]) -> Iterator[_Timed]:
        """Give each picture its index and its time."""
        numbered = self._number(pictures)
        if self._rate:
            for index, picture in numbered:
                yield index, float(index / self._rate), picture
            return
        stamped = (self._stamped(numbered) for numbered in numbered)
        for time, (index, picture) in self._times.times(stamped):
            yield index, time, picture

    def _number(self, pictures: Iterable[av.VideoFrame]) -> Iterator[tuple[int, av.VideoFrame]]:
        for picture in pictures:
            index = self._index
            self._index += 1
            if self._arrival is not None:
                self._arrivals.append((index, self._arrival))
            yield index, picture

    def _stamped(self, numbered: tuple[int, av.VideoFrame]) -> Stamped[tuple[int, av.VideoFrame]]:
        """Return a picture with what tells its time."""
        picture, clock = numbered[1], self._packets.clock
        stamp = picture.pts if picture.pts is not None else picture.dts
        return Stamped(None if clock == "arrival" else stamp, numbered, None if clock == "stamps" else self._arrival)

    def is_overdue(self, frame: Frame, taken: int) -> bool:
        """Say whether the reader lags behind what comes at the pace of the world, and will not catch up."""
        while self._arrivals and self._arrivals[0][0] < frame.index:
            self._arrivals.popleft()
        if not self._arrivals or taken < _TAKEN or not self._packets.is_live_now:
            return False
        now = monotonic()
        return self._lag.is_too_long(now - self._arrivals[0][1], self._packets.silence, now)

    def _tell_of_clock(self, what: str, numbered: tuple[int, av.VideoFrame], time: float) -> None:
        """Say where the clock of the time stamps did what no time does."""
        text = "%s: the clock %s at %.2f s (frame %d): it is taken for a new one, and times go on from there"
        log.warning(text, self._input.shown, what, time, numbered[0])

    def _pictures(self) -> Iterator[av.VideoFrame]:
        """Decode packet by packet; what cannot be decoded, or only in part, is counted and left out."""
        context = self._input.stream.codec_context
        for packet in self._to_decode():
            try:
                pictures = context.decode(packet)
            except av.error.EOFError:
                break
            except Exception:  # mostly FFmpeg's, but of a damaged file PyAV raises what its own code stumbles over
                # While the decoder is emptied, an error takes along the frames still waiting in its threads.
                waiting = self._packets.count - self._index if packet is None else 1
                self._skip(min(max(waiting, 1), _MOST_WAITING))
                continue
            for picture in pictures:
                if picture.is_corrupt:
                    self._skip(1)
                else:
                    yield picture
        if self._broken:
            reason = self._packets.broken
            raise SourceError(f"{self._input.shown} broke off after {self._index} frames: {reason}") from self._broken

    def _to_decode(self) -> Iterator[av.Packet | None]:
        """Yield the packets, then None, which empties the decoder, also of what came before a stream broke off."""
        try:
            for packet in self._packets:
                self._arrival = packet.arrival
                yield packet.data
        except SourceError as error:
            self._broken = error
        self._arrival = None  # what the decoder still holds came long ago
        yield None

    def _image(self, index: int, picture: av.VideoFrame) -> np.ndarray | None:
        """Convert a picture; None, counted as damaged, where that is impossible."""
        try:
            return self._convert.delivered(picture)
        except Exception:  # a header that lies about the picture has many ways to fail
            self._tell_damage(index)
            self.damaged += 1
            self._unconverted += 1
            return None

    def _skip(self, frames: int) -> None:
        self._tell_damage(self._index)
        self.damaged += frames
        self._index += frames

    def _tell_damage(self, index: int) -> None:
        if not self.damaged:
            log.warning(
                "%s: frame %d is damaged and is skipped; more like it are only counted", self._input.shown, index
            )

    def _tell_other_size(self, index: int, time: float, picture: av.VideoFrame) -> None:
        """Say once, for a frame that is delivered, that its picture is not of the size of the first."""
        if self._told_size or self._convert.fits(picture):
            return
        self._told_size = True
        width, height = Orientation.of_picture(picture).size(picture.width, picture.height)
        first = f"{self._convert.width}x{self._convert.height}"
        log.warning(
            "%s: frame %d (at %.3f s) has %dx%d pixels, the first has %s: it and all others are brought to %s",
            *(self._input.shown, index, time, width, height, first, first),
        )

    def _warn_if_short(self, time: float) -> None:
        """Warn where a file ended well before it said it would."""
        if self._input.kind == "pipe" or self._packets.live or self._packets.abandoned:
            return
        sent = None if self._sought else self._packets.count
        # The last frame lasts as long as any other: seconds, in a time lapse.
        lasted = math.inf if self._rate or self._times.n_set else time + float(1 / (self._packets.fps or _ASSUMED_RATE))
        path = as_path(self._input.file.name) if self._input.file is not None else None
        if ending := shortfall(path, self._input.stream, self._input.promised, sent, lasted):
            log.warning("%s ends after %s: it is cut off", self._input.shown, ending)
