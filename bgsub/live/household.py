"""All that runs beside the cameras of a watch: the services that `bgsub watch` starts."""

from __future__ import annotations

from bgsub.live.archive.service import Archive
from bgsub.live.health.metrics import Other
from bgsub.live.health.service import HealthService
from bgsub.live.supervising.running import Service
from bgsub.live.telling.messengers import Messengers


def services(numbers: list[Other]) -> list[Service]:
    """Return the services of a watch, in the order in which they are started: a taken port ends it at once.

    Messengers are there before the archive, which may have trouble to tell of.

    Parameters
    ----------
    numbers : list of Other
        Gets what `/metrics` tells beside the cameras.
    """
    return [HealthService(numbers), Messengers(numbers), Archive(numbers)]
