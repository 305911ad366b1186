"""Who looks at what: cameras make pictures only while somebody does, and each viewer gets the newest, no older ones."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterable

import msgspec

from bgsub.live.clock import Clock
from bgsub.live.messages import (
    SHOWN_FOR,
    EventClosed,
    EventOpened,
    EventRecord,
    FromCamera,
    Show,
    Shown,
    Status,
    ToCamera,
    View,
)
from bgsub.live.web.questions import Bundle, BundledPicture, Looking, News

MOST_VIEWERS = 64
"""Pages that can be open at a time."""

GRAPH = 600
"""Seconds of motion that are remembered of each camera."""

_UNSEEN = 2  # bundles on their way to a viewer: more would be old when they come
_ENOUGH = 0.7  # share of pictures that are taken where a viewer keeps up: some come in pairs
_LEAST = 0.5  # pictures a second that are made for the slowest
_MOST_EVENTS = 50  # of one message of news


class Viewer:
    """One open page: what it looks at, and the newest that it has not got yet. Made in a running event loop."""

    def __init__(self) -> None:
        self.views: dict[str, tuple[View, ...]] = {}
        self.per_second, self.width = 5.0, 640
        self._takes = 1.0  # share of the pictures asked for that it has taken of late
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()  # around what `show` touches
        self._newest: dict[tuple[str, View], Shown] = {}
        self._made = self._taken = 0
        self._waits = False
        self._news: bytes | None = None
        self._there, self._news_there = asyncio.Event(), asyncio.Event()
        self._sent = self._drawn = 0

    def look(self, looking: Looking, cameras: Iterable[str]) -> None:
        """Look at something else from now on; of cameras that there are."""
        known = set(cameras)
        with self._lock:
            self.views = {name: views for name, views in looking.views.items() if name in known and views}
            kept = {key: one for key, one in self._newest.items() if one.view in self.views.get(one.camera, ())}
            self._newest = kept
        self.per_second, self.width = looking.per_second, looking.width

    def show(self, shown: Shown) -> None:
        """Take a picture if it is wanted, in place of an older one; any thread may call it.

        The event loop wakes only where nothing is to be sent already: eight cameras give a hundred pictures a second.
        """
        with self._lock:
            if shown.view not in self.views.get(shown.camera, ()):
                return
            self._newest[shown.camera, shown.view] = shown
            self._made += 1
            wakes, self._waits = self._waits, False
        if wakes:
            self._loop.call_soon_threadsafe(self._there.set)

    def tell(self, news: bytes) -> None:
        """Take news, in place of older ones."""
        self._news = news
        self._news_there.set()

    def drawn(self, number: int) -> None:
        """Note that a bundle has been drawn."""
        self._drawn = max(self._drawn, min(number, self._sent))
        self._there.set()

    @property
    def pace(self) -> float:
        """Pictures a second of each camera that are of use: over a slow line fewer than are asked for."""
        return max(min(self.per_second, _LEAST), self.per_second * self._takes)

    def follow(self) -> None:
        """Learn how many pictures it can take, from those that were taken since the last time."""
        with self._lock:
            made, taken, self._made, self._taken = self._made, self._taken, 0, 0
        if taken < _ENOUGH * made:
            self._takes *= max(0.2, 1.2 * taken / made)
        elif made:
            self._takes = min(1.0, 1.5 * self._takes)

    async def next_news(self) -> bytes:
        """Wait for news, and return them."""
        while (news := self._news) is None:
            self._news_there.clear()
            await self._news_there.wait()
        self._news = None
        return news

    async def next_bundle(self) -> bytes:
        """Wait until there are pictures, and the viewer has drawn what was sent; return them."""
        while not (pictures := self._take()):
            await self._there.wait()
        self._sent += 1
        return bundled(self._sent, pictures)

    def _take(self) -> list[Shown]:
        """Return what is to be sent now; where that is nothing, the next picture or word wakes who waits for it."""
        self._there.clear()
        if self._sent - self._drawn >= _UNSEEN:
            return []
        with self._lock:
            pictures, self._newest = list(self._newest.values()), {}
            self._taken += len(pictures)
            self._waits = not pictures
        return pictures


def bundled(number: int, pictures: list[Shown]) -> bytes:
    """Return pictures as one message: the length of its head in four bytes, the head, the pictures."""
    listed = tuple(BundledPicture(camera=one.camera, view=one.view, at=one.at, size=len(one.jpeg)) for one in pictures)
    head = msgspec.json.encode(Bundle(number=number, pictures=listed))
    return b"".join([len(head).to_bytes(4, "big"), head, *(one.jpeg for one in pictures)])


class Viewing:
    """All open pages. Lives in an event loop; `note` is told every message of the cameras, `show` every picture.

    Parameters
    ----------
    send : callable
        Tells a camera's process something.
    cameras : callable
        Returns the names of the cameras.
    clock : Clock
        The time.
    """

    def __init__(
        self, send: Callable[[str, ToCamera], bool], cameras: Callable[[], tuple[str, ...]], clock: Clock
    ) -> None:
        self._send, self._cameras, self._clock = send, cameras, clock
        self._viewers: tuple[Viewer, ...] = ()  # never changed, but replaced: `show` is called in other threads
        self._asked: dict[str, Show] = {}
        self._events: dict[str, EventRecord] = {}
        self._moved: dict[str, deque[float]] = {}
        self._number = 0

    def __len__(self) -> int:
        """How many look."""
        return len(self._viewers)

    def show(self, shown: Shown) -> None:
        """Take a picture; any thread may call it."""
        for viewer in self._viewers:
            viewer.show(shown)

    def note(self, message: FromCamera) -> None:
        """Take what a camera says."""
        match message:
            case Status():
                self._moved.setdefault(message.camera, deque(maxlen=GRAPH)).append(message.moving)
            case EventOpened(record) | EventClosed(record):
                if len(self._events) < _MOST_EVENTS:
                    self._events[record.id] = record
                else:
                    self._number += 1  # a gap: pages ask for all that is new

    def moved(self, camera: str) -> list[float]:
        """Return how much of the picture moved, second by second."""
        return [round(share, 5) for share in self._moved.get(camera, ())]

    def enter(self) -> Viewer | None:
        """Let another page look; None where there are too many."""
        if len(self._viewers) >= MOST_VIEWERS:
            return None
        viewer = Viewer()
        self._viewers += (viewer,)
        return viewer

    def leave(self, viewer: Viewer) -> None:
        """Let a page look no more; what nobody looks at is not made any longer."""
        self._viewers = tuple(one for one in self._viewers if one is not viewer)
        self.ask()

    def ask(self, *, again: bool = False) -> None:
        """Tell cameras what is looked at, where that has changed.

        Parameters
        ----------
        again : bool
            Also where it has not: they forget it after a while.
        """
        wanted = {name: show for name in self._cameras() if (show := self._wanted(name)).views}
        for name, show in wanted.items():
            if again or self._asked.get(name) != show:
                self._send(name, show)
        for name in self._asked.keys() - wanted.keys():
            self._send(name, Show(views=()))
        self._asked = wanted

    def _wanted(self, camera: str) -> Show:
        looking = [viewer for viewer in self._viewers if camera in viewer.views]
        if not looking:
            return Show(views=())
        views = tuple(sorted({view for viewer in looking for view in viewer.views[camera]}))
        return Show(
            views=views,
            per_second=max(viewer.pace for viewer in looking),
            width=max(viewer.width for viewer in looking),
        )

    async def keep_asking(self) -> None:
        """Tell cameras again what is looked at, before they forget it, for ever."""
        while True:
            await asyncio.sleep(SHOWN_FOR / 3)
            self._moved = {name: self._moved[name] for name in self._cameras() if name in self._moved}
            for viewer in self._viewers:
                viewer.follow()
            self.ask(again=True)

    def tell(self, news: Callable[[int, tuple[EventRecord, ...]], News]) -> None:
        """Send news to all pages.

        Parameters
        ----------
        news : callable
            Makes them, of their number and the events that opened or closed since the last.
        """
        self._number += 1
        events, self._events = tuple(self._events.values()), {}
        if self._viewers:
            data = msgspec.json.encode(news(self._number, events))
            for viewer in self._viewers:
                viewer.tell(data)
