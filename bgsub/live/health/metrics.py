"""How all is, as Prometheus reads it; made anew each time, so that a camera that is gone leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from bgsub.live.health.state import CameraHealth, Health

CONTENT_TYPE = CONTENT_TYPE_LATEST
"""Of what `Metrics.text` returns."""

Amounts = Callable[[], Mapping[str, float]]


class Other(NamedTuple):
    """Numbers of something else, asked for each time.

    Attributes
    ----------
    name, text : str
        As Prometheus has it, and what it is.
    label : str
        What tells the numbers apart; empty where there is one, under the key ``""``.
    amounts : callable
        Returns the numbers by label.
    counts : bool
        They only rise.
    """

    name: str
    text: str
    label: str
    amounts: Amounts
    counts: bool = False


class Metrics(Collector):
    """All numbers, in a registry of their own.

    Parameters
    ----------
    health : Health
        How the cameras are.
    others : sequence of Other
        What else is told; it may grow.
    """

    def __init__(self, health: Health, others: Sequence[Other] = ()) -> None:
        self._health, self._others = health, others
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def text(self) -> bytes:
        """Return the numbers as Prometheus reads them."""
        return generate_latest(self._registry)

    def describe(self) -> Iterable[Metric]:
        """Return nothing: which numbers there are is known when they are asked for."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield the numbers."""
        yield GaugeMetricFamily("bgsub_uptime_seconds", "Since the program began.", self._health.uptime)
        yield GaugeMetricFamily("bgsub_well", "1 where nothing is wrong.", float(not self._health.wrong()))
        for name, text, value, counts in _OF_CAMERAS:
            kind = CounterMetricFamily if counts else GaugeMetricFamily
            family = kind(f"bgsub_camera_{name}", text, labels=["camera"])
            for camera, known in self._health.cameras.items():
                family.add_metric([camera], value(known))
            yield family
        for other in self._others:
            kind = CounterMetricFamily if other.counts else GaugeMetricFamily
            family = kind(f"bgsub_{other.name}", other.text, labels=[other.label] if other.label else [])
            for label, amount in other.amounts().items():
                family.add_metric([label] if other.label else [], amount)
            yield family


def _is_live(known: CameraHealth) -> float:
    return float(known.status is not None and known.status.state == "live")


def _last_event(known: CameraHealth) -> float:
    return 0.0 if known.last_event is None else known.last_event.timestamp()


def _said(name: str) -> Callable[[CameraHealth], float]:
    return lambda known: float(getattr(known.status, name, 0))


_OF_CAMERAS: tuple[tuple[str, str, Callable[[CameraHealth], float], bool], ...] = (
    ("live", "1 where pictures come.", _is_live, False),
    ("frames_per_second", "Pictures looked at.", _said("frames_per_second"), False),
    ("delay_seconds", "From a picture's arrival until it has been looked at.", _said("delay"), False),
    ("moving_ratio", "Share of the picture that moves.", _said("moving"), False),
    ("frames", "Pictures looked at, since its process began.", _said("frames"), True),
    ("dropped_frames", "Pictures that were not looked at, to keep up.", _said("dropped"), True),
    ("damaged_frames", "Pictures that were damaged.", _said("damaged"), True),
    ("reconnects", "How often its stream was opened again.", _said("reconnects"), True),
    ("events", "Events that are over.", lambda known: float(known.events), True),
    ("outages", "How often it was lost.", lambda known: float(known.outages), True),
    ("last_event_timestamp_seconds", "When its newest event began.", _last_event, False),
)
