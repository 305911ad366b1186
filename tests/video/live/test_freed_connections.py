"""What a connection took is free when it has ended, without waiting for Python's collector: some megabytes each."""

import gc
import time
import weakref

import pytest

from bgsub.video.live.decoding import Decoding
from bgsub.video.live.receiving import Reception
from bgsub.video.live.source import LiveSource
from bgsub.video.readers.reconnecting import Patience
from tests.rtsp import RtspServer, launch_line

PATIENCE = 60.0


@pytest.fixture
def uncollected():
    """Nobody collects."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.needs_system
@pytest.mark.slow
def test_connections_that_have_ended_leave_nothing_behind(uncollected):
    server = RtspServer(launch_line(320, 240, 25, gop=10)).start()
    others = [id(one) for one in _connections()]  # of tests before, which still wait for their senders
    known = []
    with server, LiveSource(server.url, patience=Patience(first_delay=0.1, longest_delay=0.2)) as source:
        deadline = time.monotonic() + PATIENCE
        for picture in source:
            assert time.monotonic() < deadline
            here = [one for one in _connections() if id(one) not in others]
            if picture is None or not here:
                continue
            if not known or source.reconnects == len(known):
                known.append([weakref.ref(one) for one in here])
                del here, picture
                if len(known) == 3:
                    break
                server.kill()
                server.start()
        while left := [one() for ended in known[:-1] for one in ended if one() is not None]:  # a thread may yet end
            assert time.monotonic() < deadline, left
            del left
            time.sleep(0.05)


def _connections():
    return [
        one for one in gc.get_objects() if issubclass(type(one), (Reception, Decoding))
    ]  # a proxy may be of nothing
