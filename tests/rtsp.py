"""An RTSP camera of GStreamer's, in a process of the system's Python: it can be killed, frozen, and changed.

Debian's packages: python3-gi, gir1.2-gst-rtsp-server-1.0, gstreamer1.0-plugins-{base,good,bad,ugly}.
"""

from __future__ import annotations

import functools
import signal
import socket
import subprocess
from types import TracebackType
from typing import Self

import pytest

SYSTEM_PYTHON = "/usr/bin/python3"
_GI = """
import gi
gi.require_version("Gst", "1.0"), gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer
Gst.init(None)
"""
_SERVER = f"""
import sys
{_GI}
server = GstRtspServer.RTSPServer(address="127.0.0.1", service=sys.argv[1])
for name, line in zip(sys.argv[2::2], sys.argv[3::2]):
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(line)
    factory.set_shared(True)
    server.get_mount_points().add_factory("/" + name, factory)
if not server.attach(None):
    sys.exit("the port is taken")
print("ready", flush=True)
GLib.MainLoop().run()
"""
_PICTURES = {
    "h264": "x264enc tune=zerolatency speed-preset=ultrafast key-int-max={gop} bitrate=800 ! h264parse ! "
    "rtph264pay name=pay0 pt=96 config-interval=-1",
    "h265": "x265enc tune=zerolatency speed-preset=ultrafast key-int-max={gop} bitrate=800 ! h265parse ! "
    "rtph265pay name=pay0 pt=96 config-interval=-1",
    "mjpeg": "jpegenc ! rtpjpegpay name=pay0 pt=26",
}
_SOUNDS = {
    "aac": "audio/x-raw,rate=48000,channels=1 ! voaacenc ! aacparse ! rtpmp4gpay name=pay1 pt=97",
    "alaw": "audio/x-raw,rate=8000,channels=1 ! alawenc ! rtppcmapay name=pay1 pt=8",
}


@functools.cache
def _is_there() -> bool:
    return subprocess.run([SYSTEM_PYTHON, "-c", _GI], capture_output=True, check=False).returncode == 0


def launch_line(
    width: int = 640, height: int = 360, rate: int = 25, codec: str = "h264", sound: str | None = "aac", gop: int = 25
) -> str:
    """What GStreamer makes a camera of: a ball that moves on black, and ticks each second.

    Parameters
    ----------
    codec : {'h264', 'h265', 'mjpeg'}
        Of the pictures.
    sound : {'aac', 'alaw'} or None
        Codec of the sound.
    gop : int
        Pictures from key frame to key frame.
    """
    pictures = (
        f"videotestsrc is-live=true pattern=ball ! video/x-raw,width={width},height={height},framerate={rate}/1,"
        f"format=I420 ! {_PICTURES[codec].format(gop=gop)}"
    )
    sounds = f" audiotestsrc is-live=true wave=ticks ! audioconvert ! audioresample ! {_SOUNDS[sound]}" if sound else ""
    return f"( {pictures}{sounds} )"


class RtspServer:
    """Serves cameras at addresses that stay the same however often it is started.

    Parameters
    ----------
    line : str, optional
        Launch line of the camera at `url`; that of `launch_line` where none is given.
    more : str
        Launch lines of others, by the names that `address` takes.
    """

    def __init__(self, line: str | None = None, **more: str) -> None:
        if not _is_there():
            pytest.skip(f"{SYSTEM_PYTHON} has no GStreamer with an RTSP server")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.lines = {"cam": line or launch_line(), **more}
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """Address of the first camera."""
        return self.address("cam")

    def address(self, name: str) -> str:
        """Address of a camera."""
        return f"rtsp://127.0.0.1:{self.port}/{name}"

    def start(self, line: str | None = None) -> Self:
        """Start it, perhaps with another launch line of the first camera; it can be reached when this returns."""
        assert self._process is None, "it runs already"
        if line is not None:
            self.lines["cam"] = line
        words = [word for pair in self.lines.items() for word in pair]
        self._process = subprocess.Popen(
            [SYSTEM_PYTHON, "-c", _SERVER, str(self.port), *words], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n", "the server did not start"
        return self

    @property
    def pid(self) -> int:
        """Of its process, to measure what it costs."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """Let it be gone, as a camera without power."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()

    def stop(self) -> None:
        """Freeze it: connections stay, and nothing comes."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def cont(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        return self.start() if self._process is None else self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
