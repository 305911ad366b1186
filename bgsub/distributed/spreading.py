"""Errands over a cluster: sent, watched, and what comes of each as it ends.

Dask decides where each is done, and does it again elsewhere when its worker dies. Here is what Dask leaves open: one
that kills its workers is set aside by name, whatever the scheduler allows; a scheduler that goes away is no error of
any errand; Ctrl-C lets those in work end in order.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import Any

from distributed import Client, Future, KilledWorker
from distributed.comm import CommClosedError

from bgsub.distributed import at_work
from bgsub.distributed.at_work import MOST_DEATHS, TOPIC, Errand, Run
from bgsub.errors import BgsubError, ClusterError
from bgsub.jobs.execution import INTERRUPTIONS

logger = logging.getLogger(__name__)

WINDOW = 1000
"""Errands that a scheduler has at a time, at least: it holds each in memory."""

_LOOK = 0.2  # seconds between two looks at how far everything is
_SILENCE = 10.0  # seconds without a word after which is asked whether there are workers at all
_PATIENCE = 10.0  # seconds for errands in work to end in order after Ctrl-C
_FETCHED = 60.0  # seconds for a result to come here from its worker
_EVENTS = 200.0  # a second, that all workers together tell at most
_LOST = (CommClosedError, CancelledError, TimeoutError, OSError)


@dataclass(frozen=True)
class Ended:
    """What came of an errand.

    Attributes
    ----------
    errand : Errand
        What was to be done.
    result : object
        What it returned; None where it was set aside or broke.
    error : BaseException or None
        Why there is none; or, with a result, what interrupted it.
    """

    errand: Errand
    result: Any = None
    error: BaseException | None = None


@dataclass(frozen=True)
class Sight:
    """How far an errand is.

    Attributes
    ----------
    errand : Errand
        That is in work.
    worker : str
        Where.
    read : int
        Frames so far.
    total : int or None
        To expect.
    """

    errand: Errand
    worker: str
    read: int
    total: int | None


OnSight = Callable[[Sequence[Sight]], None]


class SetAside(BgsubError):
    """An errand has taken two workers down; the text names it."""


def spread(client: Client, errands: Sequence[Errand], on_sight: OnSight | None = None) -> Iterator[Ended]:
    """Do errands on the workers of a cluster, and yield what comes of each as it ends.

    Parameters
    ----------
    client : distributed.Client
        Of the cluster.
    errands : sequence of Errand
        What is done; their numbers are their places in it.
    on_sight : callable, optional
        Called five times a second with all that are in work, as far as they have told.

    Yields
    ------
    Ended
        In the order in which they end. After Ctrl-C those in work, as far as they end within ten seconds.

    Raises
    ------
    ClusterError
        When the scheduler goes away, or a worker joins that has another bgsub.
    """
    spreading = _Spreading(client, errands, on_sight)
    try:
        yield from spreading.ended()
    except INTERRUPTIONS as end:
        with contextlib.suppress(*_LOST):
            yield from spreading.interrupted(end)
    except _LOST as error:
        raise spreading.loss() from error
    finally:
        spreading.leave()


class _Spreading:
    """Errands under way."""

    def __init__(self, client: Client, errands: Sequence[Errand], on_sight: OnSight | None) -> None:
        self._client, self._errands, self._on_sight = client, errands, on_sight
        self._address = client.scheduler.address if client.scheduler is not None else "the cluster"
        slots = sum(client.nthreads().values())
        share = max(1, slots // len(errands)) if errands else 1
        self._run = Run(f"bgsub-{uuid.uuid4().hex[:12]}", share, max(1.0, slots / _EVENTS))
        self._window = max(WINDOW, 2 * slots)
        self._left = iter(errands)
        self._pending: dict[Future, Errand] = {}
        self._again: dict[int, int] = {}
        self._done: queue.SimpleQueue[Future] = queue.SimpleQueue()
        self._sights: dict[int, Sight] = {}
        self._heard = time.monotonic()
        self._warned = self._lost = False
        self._over = 0
        client.subscribe_topic(TOPIC, self._note)

    # -------------------------------------------------------------------------------------------------------- the loop

    def ended(self) -> Iterator[Ended]:
        """Yield what comes of each errand."""
        self._send_more()
        while self._pending:
            try:
                future = self._done.get(timeout=_LOOK)
            except queue.Empty:
                self._look()
                continue
            self._heard = time.monotonic()
            ended = self._end_of(future)
            self._send_more()
            if ended is not None:
                self._over += 1
                yield ended
            self._look()

    def _send_more(self) -> None:
        while len(self._pending) < self._window:
            errand = next(self._left, None)
            if errand is None:
                return
            self._send(errand)

    def _send(self, errand: Errand) -> None:
        again = self._again.get(errand.number, 0)
        # Dask takes what stands before "-" for the kind of a task.
        key = f"{errand.what}-{errand.number + 1} {errand.name} {self._run.name[-6:]}" + (f" {again + 1}" * bool(again))
        future = self._client.submit(at_work.do, errand, self._run, key=key, pure=False)
        self._pending[future] = errand
        future.add_done_callback(self._done.put)

    def _end_of(self, future: Future) -> Ended | None:
        """Return what came of an errand; None where it is not over yet, or was sent again."""
        errand, status = self._pending[future], future.status
        if status == "cancelled":  # by nobody here
            raise CancelledError
        error: BaseException | None = None
        returned: Any = None
        try:
            returned = future.result(timeout=_FETCHED) if status == "finished" else None
            error = future.exception(timeout=_FETCHED) if status == "error" else None
        except KilledWorker as killed:
            error = killed
        except TimeoutError:
            pass
        if returned is None and error is None:
            # The worker that had the result is gone, and another does the errand again.
            future.add_done_callback(self._done.put)
            return None
        del self._pending[future]
        self._sights.pop(errand.number, None)
        future.release()
        if isinstance(error, KilledWorker):
            return self._killed(errand)
        if isinstance(error, ClusterError):  # of the place, and not of the errand
            raise error
        if error is not None:
            return Ended(errand, error=error)
        return self._set_aside(errand) if returned.set_aside else Ended(errand, returned.result)

    def _killed(self, errand: Errand) -> Ended | None:
        """Send an errand again, unless it has taken down too many workers by our own count.

        The scheduler has a limit of its own, and counts those that died with another's errand.
        """
        again = self._again[errand.number] = self._again.get(errand.number, 0) + 1
        if again > MOST_DEATHS or at_work.deaths_of(self._client, self._run, errand) >= MOST_DEATHS:
            return self._set_aside(errand)
        self._send(errand)
        return None

    def _set_aside(self, errand: Errand) -> Ended:
        text = (
            f"cannot {errand.what} {errand.name}: its worker was killed {MOST_DEATHS} times, as happens where memory "
            "ends; leave it out, or give workers more memory"
        )
        return Ended(errand, error=SetAside(text))

    # --------------------------------------------------------------------------------------------------- how far it is

    def _note(self, event: tuple[float, Any]) -> None:
        """Take word of an errand; called in the client's own thread."""
        _, told = event
        if isinstance(told, dict) and told.get("run") == self._run.name:
            self._heard, self._warned = time.monotonic(), False
            number = told["number"]
            self._sights[number] = Sight(self._errands[number], told["where"], told["read"], told["total"])

    def _look(self) -> None:
        """Show how far everything is, and warn once where no worker is left."""
        if self._on_sight is not None:
            in_work = {errand.number for errand in self._pending.values()}
            self._on_sight([sight for number, sight in list(self._sights.items()) if number in in_work])
        if time.monotonic() - self._heard > _SILENCE:
            self._heard = time.monotonic()
            if not self._warned and not self._client.nthreads():
                self._warned = True
                logger.warning("no worker is left at %s: waiting for one to start", self._address)

    # ------------------------------------------------------------------------------------------------------ other ends

    def interrupted(self, end: BaseException) -> Iterator[Ended]:
        """Let those in work end in order, take back the others, and yield what came of the first."""
        in_work = {future for future, errand in self._pending.items() if errand.number in self._sights}
        threading.Thread(target=self._stop_workers, daemon=True).start()
        self._client.cancel([future for future in self._pending if future not in in_work])
        deadline = time.monotonic() + _PATIENCE
        while in_work and (left := deadline - time.monotonic()) > 0:
            try:
                future = self._done.get(timeout=left)
            except queue.Empty:
                return
            if future in in_work:
                in_work.remove(future)
                if future.status == "finished" and not (returned := future.result()).set_aside:
                    yield Ended(self._pending[future], returned.result, end)

    def _stop_workers(self) -> None:
        with contextlib.suppress(Exception):  # beside the main thread, which does not wait for workers that hang
            self._client.run(at_work.stop, self._run.name, on_error="ignore")

    def loss(self) -> ClusterError:
        """Return the error of a scheduler that went away."""
        self._lost = True
        return ClusterError(
            f"the scheduler at {self._address} went away, with {len(self._errands) - self._over} left to do; "
            "start it, and run the same command again: what is in a folder of results is not done again"
        )

    def leave(self) -> None:
        """Take back what is not done, and leave nothing on the scheduler."""
        if self._lost:  # each call would wait half a minute for an answer
            return
        try:
            self._client.cancel(list(self._pending))
            self._client.unsubscribe_topic(TOPIC)
            self._client.set_metadata(self._run.name, None)
        except Exception:  # there is no scheduler any more
            logger.debug("leaving %s", self._address, exc_info=True)
