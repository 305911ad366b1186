"""The way to a Dask cluster: one that runs already, by its address, or processes of this machine for as long as needed.

What cannot work is told before any work begins: `connected` checks the address, the certificates, and that scheduler
and workers have the same Python and the same bgsub as this process.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import ssl
import urllib.parse
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask.config
from distributed import Client, LocalCluster
from distributed.comm import connect
from distributed.security import Security
from distributed.versions import VersionMismatchWarning

from bgsub.distributed.fitting_in import check_versions
from bgsub.errors import ClusterError
from bgsub.stores.addresses import without_secrets
from bgsub.threads import available_processors

logger = logging.getLogger(__name__)

LOCAL = "local"
"""In place of an address: processes of this machine."""

PATIENCE = 5.0
"""Seconds that a scheduler has to answer, and then its first worker to be there."""

_AT_START = "bgsub.distributed.at_start"


@dataclass(frozen=True)
class Certificates:
    """Files in PEM format by which the two ends of ``tls://`` know each other.

    Attributes
    ----------
    ca : str or None
        Certificate of the authority that has signed those of scheduler and workers. None, as with the others, is
        what Dask's configuration has, ``distributed.comm.tls``.
    cert : str or None
        Certificate of this process.
    key : str or None
        Its key; it may stand in the same file as the certificate.
    """

    ca: str | None = None
    cert: str | None = None
    key: str | None = None


@contextlib.contextmanager
def connected(
    scheduler: str = LOCAL,
    *,
    workers: int | None = None,
    threads: int = 1,
    certificates: Certificates = Certificates(),
    patience: float = PATIENCE,
) -> Iterator[Client]:
    """Yield the client of a cluster whose workers have been checked; it is Dask's default client within the block.

    Parameters
    ----------
    scheduler : str
        Address, ``tcp://HOST:PORT`` or ``tls://HOST:PORT``, or ``local``: worker processes of this machine, which end
        with the block.
    workers : int, optional
        How many, where it is ``local``; as many as leave each its threads by default.
    threads : int
        Threads of each of them: the tasks that it does at a time, or the threads of one model.
    certificates : Certificates
        For ``tls://``.
    patience : float
        Seconds that the scheduler has to answer, and then its first worker to be there.

    Yields
    ------
    distributed.Client

    Raises
    ------
    ClusterError
        One line, when the address is none, nobody answers there, there is no worker, or scheduler or workers have
        another Python or another bgsub.

    Examples
    --------
    >>> from bgsub.distributed.connecting import connected
    >>> with connected(workers=1) as client:
    ...     client.submit(abs, -3).result()
    3
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(_silenced())
        if scheduler == LOCAL:
            if certificates != Certificates():
                raise ClusterError("processes of this machine need no certificates; give a tls:// address, or none")
            client = stack.enter_context(Client(stack.enter_context(_cluster(workers, threads))))
        else:
            address = checked_address(scheduler)
            client = stack.enter_context(_client(address, _security(address, certificates), patience))
            _wait_for_a_worker(client, address, patience)
            check_versions(client)
        yield client


def checked_address(text: str) -> str:
    """Return a scheduler's address as Dask takes it; one without a scheme is ``tcp://``.

    Parameters
    ----------
    text : str
        As it was typed.

    Raises
    ------
    ClusterError
        When it is none.
    """
    address = text if "://" in text else f"tcp://{text}"
    try:
        parts = urllib.parse.urlsplit(address)
        right = parts.scheme in ("tcp", "tls") and bool(parts.hostname and parts.port)
    except ValueError:  # a port that is no number
        right = False
    if not right or parts.path.strip("/") or parts.username is not None:
        shown = without_secrets(address)
        told = (shown if "://" in text else shown.removeprefix("tcp://")) or "an empty text"
        raise ClusterError(f"{told} is no address of a scheduler; give local, tcp://HOST:PORT or tls://HOST:PORT")
    return f"{parts.scheme}://{parts.netloc}"


def is_loopback(address: str) -> bool:
    """Say whether an address is of this machine alone, so that nobody else can listen."""
    host = urllib.parse.urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


# ------------------------------------------------------------------------------------------------------------- details


@contextlib.contextmanager
def _cluster(workers: int | None, threads: int) -> Iterator[LocalCluster]:
    """Start processes that listen on loopback alone."""
    count = max(1, available_processors() // threads) if workers is None else workers
    patient = {"distributed.deploy.lost-worker-timeout": "1 day"}  # else one that starts again slowly is given up
    with (
        dask.config.set(patient),
        LocalCluster(
            n_workers=count,
            threads_per_worker=threads,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",  # None is port 8787
            silence_logs=logging.CRITICAL,
            preload=[_AT_START],
        ) as cluster,
    ):
        yield cluster


def _client(address: str, security: Security | None, patience: float) -> Client:
    if address.startswith("tcp:") and not is_loopback(address):
        logger.warning(
            "%s is not encrypted: who can reach it can run programs on its workers, and read along; "
            "use tls:// with certificates, or a network of your own",
            address,
        )
    arguments = (security or Security()).get_connection_args("client")
    try:
        with ThreadPoolExecutor(1) as beside:  # a notebook has a loop of its own in this thread
            beside.submit(asyncio.run, _greet(address, arguments, patience)).result()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", VersionMismatchWarning)  # the versions that matter are checked
            return Client(address, timeout=patience, security=security)
    except Exception as error:  # whoever answers in another language can cause any: a web server a MemoryError
        raise ClusterError(_why_not(address, error, patience)) from error


async def _greet(address: str, arguments: dict[str, Any], patience: float) -> None:
    """Let the scheduler say who it is: a client would wait for ever for one that takes a connection and is silent."""
    async with asyncio.timeout(patience):
        comm = await connect(address, timeout=patience, **arguments)
    await comm.close()


def _why_not(address: str, error: BaseException, patience: float) -> str:
    """Return why there is no connection, and what to do."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__
    if cause is not None:
        reason = " ".join(str(getattr(cause, "reason", None) or cause).split())
        if reason == "WRONG_VERSION_NUMBER":  # of an answer that is not encrypted at all
            return f"{address} answers without encryption; start the scheduler with certificates, or write tcp://"
        return f"{address} does not accept the certificates, or shows others ({reason}); check all three files"
    other = "tls" if address.startswith("tcp:") else "tcp"
    return (
        f"no scheduler answers at {address} within {patience:g} s; start one there (dask scheduler), "
        f"or check host, port, and whether it is {other}://"
    )


def _security(address: str, certificates: Certificates) -> Security | None:
    """Return what is needed for an encrypted connection; None where it is plain."""
    files = {"tls_ca_file": certificates.ca, "tls_client_cert": certificates.cert, "tls_client_key": certificates.key}
    given = {name: path for name, path in files.items() if path is not None}
    if not address.startswith("tls:"):
        if given:
            raise ClusterError(f"{address} is a plain address, which takes no certificates; write tls://, or give none")
        if dask.config.get("distributed.comm.require-encryption", None):
            raise ClusterError(f"Dask's configuration asks for encryption, and {address} has none; write tls://")
        return None
    for path in given.values():
        if not Path(path).is_file():
            raise ClusterError(f"there is no certificate or key {path}; check the path")
    security = Security(require_encryption=True, **given)
    used = security.get_tls_config_for_role("client")
    if not (used["ca_file"] and used["cert"]):
        raise ClusterError(
            f"{address} needs certificates: give --tls-ca, --tls-cert and --tls-key, "
            "or set distributed.comm.tls in Dask's configuration"
        )
    try:
        security.get_connection_args("client")
    except (OSError, ValueError) as error:  # SSLError is one
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        raise ClusterError(f"cannot use the certificates for {address}: {reason}; check all three files") from error
    return security


def _wait_for_a_worker(client: Client, address: str, patience: float) -> None:
    try:
        client.wait_for_workers(1, timeout=patience)
    except TimeoutError as error:
        raise ClusterError(
            f"the scheduler at {address} has no workers; start one on each machine: dask worker {address}"
        ) from error


@contextlib.contextmanager
def _silenced() -> Iterator[None]:
    """Keep Dask's own log, pages about each worker that ends, off stderr: what matters is said in a line of ours."""
    names = ("distributed", "distributed.client", "distributed.nanny", "distributed.scheduler", "distributed.worker")
    loggers = [logging.getLogger(name) for name in names]
    if logging.getLogger("bgsub").isEnabledFor(logging.DEBUG):
        yield
        return
    levels = [one.level for one in loggers]
    for one in loggers:
        one.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for one, level in zip(loggers, levels, strict=True):
            one.setLevel(level)
