"""Encode pictures into a video file that stays playable whatever ends the run.

How a file survives a kill or a full disk: Matroska and WebM are cut into clusters of at most a second; MP4 is
written in fragments, each begun by a key frame, and becomes an ordinary MP4 when it is closed. What an encoder
looks ahead to, and what is being gathered, are together at most a second.
"""

from __future__ import annotations

import errno
import logging
import math
import os
from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from av.container import OutputContainer
from av.video.frame import PictureType
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream

from bgsub.errors import OutputError, SourceError
from bgsub.formats import CONTAINERS
from bgsub.video.frame import VideoInfo
from bgsub.video.sound import Sound
from bgsub.video.writers import matroska
from bgsub.video.writers.codecs import FFV1_OF_A_LINE, VP9, Encoding
from bgsub.video.writers.sound import SoundTrack

MILLISECOND = Fraction(1, 1000)  # the only time base that FFmpeg's writer of Matroska and WebM has
FINE_TICK = Fraction(1, 100_000)  # which its head says where frames come too fast for that
FAST = 200  # frames per second from which on the half of a millisecond, by which times are rounded, counts
DEFAULT_TIME_BASE = Fraction(1, 90_000)
_FASTEST_VP9 = Fraction(2000)  # above it libvpx counts no tick between two frames and refuses them
_LOOK_AHEAD = 0.3  # seconds of frames that an encoder may hold back
_LONGEST_CLUSTER = 30_000  # ticks: Matroska counts them in 16 bits within a cluster
_WAIT_FOR_SOUND = 0.25  # seconds
_LARGE_MOVE = 0.005  # seconds by which a frame's time may be wrong without a word
THREADS = min(4, os.cpu_count() or 1)

logger = logging.getLogger(__name__)


class VideoFile:
    """One video file, made with its first frame.

    Parameters
    ----------
    path : Path
        ``.mkv``, ``.webm`` or ``.mp4``; an existing file is replaced when the first frame has been encoded.
    encoding : Encoding
        Codec and settings.
    info : VideoInfo
        Of the source: its nominal rate and time base are kept as far as the container can.
    sound : Sound, optional
        What is heard with it.

    Attributes
    ----------
    created : bool
        The file is there, and this has written it.

    Raises
    ------
    OutputError
        When this build of FFmpeg lacks the encoder.
    """

    def __init__(self, path: Path, encoding: Encoding, info: VideoInfo, sound: Sound | None = None) -> None:
        self.path = path
        self._sound = sound
        self._track: SoundTrack | None = None
        self.encoding = encoding
        self._fps = info.fps
        self._aspect = _writable_aspect(info.sample_aspect_ratio)
        self._is_matroska = path.suffix.lower() != ".mp4"
        self._time_base = MILLISECOND if self._is_matroska else _fine_time_base(info.time_base)
        self._tick_length = FINE_TICK if self._is_matroska and (info.fps or 0) > FAST else self._time_base
        self._ticks_per_second = float(1 / self._tick_length)
        self._container: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._tick: int | None = None  # of the last frame
        self._muxed: int | None = None  # tick of the last frame that the encoder has given back
        self._key_tick: int | None = None
        self._look_ahead = _look_ahead(info.fps) if encoding.looks_ahead else 0
        self._gathered = 1 - float(self._look_ahead / (info.fps or 1))  # seconds from key frame to key frame
        self.created = False
        self._mended = not self._is_matroska or (self._aspect == 1 and self._tick_length == MILLISECOND)
        self._squeezed = False
        self._size = 0  # of the file when it last held only whole clusters or fragments
        self._intact: float | None = None  # time up to which these reach
        self._shape: tuple[int, ...] = ()
        self._ended = False
        try:
            av.Codec(encoding.codec, "w")
        except ValueError as error:  # PyAV's UnknownCodecError
            raise OutputError(
                f"cannot write {path}: this FFmpeg has no {encoding.codec} encoder; choose another extension"
            ) from error

    def write(self, planes: Sequence[np.ndarray], time: float) -> None:
        """Encode one picture.

        Parameters
        ----------
        planes : sequence of ndarray of uint8, shape (rows, columns) or (rows, columns, channels)
            The planes of the encoding's pixel format.
        time : float
            Seconds. A picture that falls on the last one's tick of the time base, or before it, is moved to
            the next.

        Raises
        ------
        OutputError
            The picture's size has changed, the encoder refuses it, or the file cannot be written.
        """
        if self._ended:
            raise ValueError("write to a closed video file")
        shape = planes[0].shape
        if self._stream is None:
            self._shape = shape
        elif shape != self._shape:
            raise OutputError(
                f"cannot write {self.path}: the picture changed from {self._shape[1]}x{self._shape[0]} to "
                f"{shape[1]}x{shape[0]}; write the rest to another file"
            )
        tick = round(time * self._ticks_per_second)
        if self._tick is not None and tick <= self._tick:
            self._warn_of_squeeze(self._tick + 1 - tick)
            tick = self._tick + 1
        try:
            stream = self._stream or self._open(shape[1], shape[0], tick)
            self._mux(stream.encode(self._frame(planes, tick)))
        except (av.error.FFmpegError, OSError) as error:
            raise self._fail(error) from error
        self._tick = tick

    def close(self) -> None:
        """Write what the encoder holds and the end of the file. Calling it again does nothing."""
        if self._ended:
            return
        self._ended = True
        if self._container is None or self._stream is None:
            return
        try:
            self._mux(self._stream.encode(None))
            self._mux_sound((self._tick or 0) / self._ticks_per_second + float(1 / (self._fps or 25)))
            self._container.close()
            self._mend(at_end=True)
        except (av.error.FFmpegError, OSError) as error:
            raise self._fail(error) from error
        finally:
            self._close_sound()

    def _open(self, width: int, height: int, tick: int) -> VideoStream:
        """Make container and encoder. The file appears with the first packet, after the encoder ran."""
        suffix = self.path.suffix.lower()
        self._open_sound(tick / self._ticks_per_second)
        ticks = min(1000 * self._gathered * float(MILLISECOND / self._tick_length), _LONGEST_CLUSTER)
        options = {"flush_packets": "1", "cluster_time_limit": str(int(ticks))}
        if suffix == ".mp4":
            # hybrid: fragments until the file is closed, then an ordinary MP4. Its head is written at once:
            # it cannot say that the video begins later than 0. Such a video waits with the head for the first
            # fragment, which FFmpeg 7.1 cannot do in a hybrid file.
            late = tick or (self._track is not None and self._track.begins_late)
            head = "delay_moov" if late else "empty_moov+hybrid_fragmented"
            options = {"flush_packets": "1", "movflags": f"frag_keyframe+default_base_moof+{head}"}
        if self._track is not None:
            # Times are right as they are; and pictures wait for sound no longer than this, in microseconds.
            options |= {"avoid_negative_ts": "disabled", "max_interleave_delta": str(int(_WAIT_FOR_SOUND * 1e6))}
        # The prefix keeps FFmpeg from taking a name such as "cam:1.mkv" for a protocol.
        container = av.open(f"file:{self.path}", "w", format=CONTAINERS[suffix], container_options=options)
        self._container = container
        codec_options = dict(self.encoding.options)
        if self.encoding.looks_ahead:
            codec_options |= {"rc-lookahead": str(self._look_ahead)} if self._look_ahead else {"tune": "zerolatency"}
        if self.encoding.codec == "ffv1":
            # Its key frames are counted, and cost no space. Ten keep the index of a file of days small.
            codec_options["g"] = str(min(10, max(1, int(self._fps or 1))))
            if min(width, height) == 1:
                codec_options |= FFV1_OF_A_LINE
        rate = self._fps or Fraction(25)
        if self.encoding.codec == VP9.codec:
            rate = min(rate, _FASTEST_VP9)
        stream: Any = container.add_stream(self.encoding.codec, rate=rate, options=codec_options)
        stream.width, stream.height = width, height
        stream.pix_fmt = self.encoding.pix_fmt
        context = stream.codec_context
        context.sample_aspect_ratio = self._aspect
        if self._is_matroska and self._aspect != 1:
            stream.metadata["title"] = matroska.ROOM
        context.time_base = self._time_base
        context.thread_count, context.thread_type = THREADS, "SLICE"
        if self.encoding.full_range is not None:
            context.color_range = ColorRange.JPEG if self.encoding.full_range else ColorRange.MPEG
            context.colorspace = Colorspace.ITU601  # what OpenCV's conversion to YUV computes
        self._stream = stream
        if self._track is not None:
            try:
                self._track.add_to(container, suffix)
            except SourceError as error:
                self._leave_sound_out(error)
        return stream

    def _open_sound(self, start: float) -> None:
        if self._sound is None:
            return
        try:
            self._track = SoundTrack(self._sound, start, self._time_base / self._tick_length)
        except SourceError as error:
            self._leave_sound_out(error)

    def _leave_sound_out(self, error: SourceError) -> None:
        logger.warning("%s is without sound: %s", self.path, error)
        self._close_sound()

    def _close_sound(self) -> None:
        if self._track is not None:
            self._track.close()
            self._track = None

    def _mux_sound(self, until: float) -> None:
        """Give the container the sound of all before a time."""
        if self._track is None or self._container is None or not self.created:
            return
        for packet in self._track.until(until):
            self._container.mux(packet)

    def _frame(self, planes: Sequence[np.ndarray], tick: int) -> av.VideoFrame:
        """Return the picture as FFmpeg's frame."""
        height, width = planes[0].shape[:2]
        frame = av.VideoFrame(width, height, self.encoding.pix_fmt)
        for plane, pixels in zip(frame.planes, planes, strict=True):
            rows = pixels.reshape(pixels.shape[0], -1)
            # Straight into the encoder's buffer: VideoFrame.from_ndarray takes four times as long.
            buffer = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
            buffer[: rows.shape[0], : rows.shape[1]] = rows
        frame.pts, frame.time_base = tick, self._time_base
        if self._fps:
            frame.duration = max(1, round(self._ticks_per_second / self._fps))
        gap = 0 if self._tick is None else tick - self._tick
        # The frame after this one is expected a gap later, and would be too late for a key frame.
        if self._key_tick is None or tick + gap - self._key_tick > self._gathered * self._ticks_per_second:
            frame.pict_type = PictureType.I
            self._key_tick = tick
        return frame

    def _mux(self, packets: Sequence[av.Packet]) -> None:
        """Give packets to the container, and note how far the file on disk reaches."""
        assert self._container is not None
        for packet in packets:
            if not self.created:
                self.path.open("wb").close()  # what cannot be opened is left alone
                self.created = True
            tick = packet.pts or 0  # the container counts in ticks of its own, and will have changed it
            self._mux_sound(tick / self._ticks_per_second)
            self._container.mux(packet)
            size = self.path.stat().st_size
            if size > self._size:
                # A packet that begins a cluster or fragment sends the one before to disk: all earlier frames.
                self._size = size
                self._intact = self._whole_until()
                self._mend()
            self._muxed = tick

    def _whole_until(self) -> float | None:
        """Return the time up to which all frames are on disk, now that another cluster or fragment is."""
        if self._muxed is None:
            return None
        held = 2 * _WAIT_FOR_SOUND if self._track is not None else 0.0
        return max(0.0, self._muxed / self._ticks_per_second - held)

    def _mend(self, *, at_end: bool = False) -> None:
        """Put into the head of a Matroska file what FFmpeg does not; closing the file undoes that once."""
        if (self._mended and not at_end) or not self.path.is_file():
            return
        if self._is_matroska and (self._aspect != 1 or self._tick_length != MILLISECOND):
            size = self._shape[1], self._shape[0]
            self._mended = matroska.mend_head(self.path, size, self._aspect, self._tick_length)

    def _warn_of_squeeze(self, ticks: int) -> None:
        """Say once that frames come faster than the file can tell their times."""
        if self._squeezed or ticks * self._tick_length < _LARGE_MOVE:
            return
        self._squeezed = True
        advice = "; .mp4 has finer ones" if self._is_matroska else ""
        logger.warning(
            "%s: from %.3f s on frames are later than they were, so many come within its steps of %g ms%s",
            *(self.path, (self._tick or 0) / self._ticks_per_second, float(1000 * self._tick_length), advice),
        )

    def _fail(self, error: Exception) -> OutputError:
        """End the file at its last whole cluster or fragment, and return what to raise."""
        self._ended = True
        self._close_sound()
        if self._container is not None:
            with suppress(av.error.FFmpegError, OSError):  # `error` says why this cannot succeed
                self._container.close()
        if self.created and self.path.is_file():  # not a device
            with suppress(OSError):
                if self._intact is None:
                    self.path.unlink()
                    self.created = False
                else:
                    os.truncate(self.path, self._size)
        reason, advice = explain_error(error)
        kept = ""
        if self._intact is not None:
            kept = f"; what was written up to {math.floor(self._intact * 10) / 10:.1f} s is intact"
        return OutputError(f"cannot write {self.path}: {reason}{kept}; {advice}")


def _look_ahead(fps: Fraction | None) -> int:
    """Return how many frames an encoder may hold back; none of a slow video, where one is a large part of a second."""
    frames = min(8, int((fps or 0) * _LOOK_AHEAD))
    return frames if frames >= 3 else 0


def _fine_time_base(time_base: Fraction) -> Fraction:
    """Return `time_base`, or a whole fraction of it of at most a millisecond: frames may be moved by one."""
    if not 0 < time_base < 1000 or time_base.denominator > 10_000_000:
        return DEFAULT_TIME_BASE
    parts = max(1, math.ceil(time_base / MILLISECOND))
    return time_base / parts


def _writable_aspect(aspect: Fraction) -> Fraction:
    """Return the shape of a pixel in numbers that every container can hold; 1 for one that no display has."""
    return aspect.limit_denominator(1000) if Fraction(1, 20) <= aspect <= 20 else Fraction(1)


def explain_error(error: Exception) -> tuple[str, str]:
    """Return why a file could not be written, and what to do."""
    number = getattr(error, "errno", None) or 0
    reason = getattr(error, "strerror", None) or str(error)
    if number in {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}:
        return reason, "free some space"
    if number == errno.EFBIG:
        return reason, "raise the limit on file sizes or choose another disk"
    if number in {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT}:
        return reason, "choose a folder you can write to"
    return reason, "choose another extension or folder"
