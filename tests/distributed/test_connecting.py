"""The way to a cluster: by its address or started here, encrypted where asked for, and checked before any work."""

from __future__ import annotations

import contextlib
import http.server
import os
import socket
import ssl
import sys
import threading

import dask.config
import pytest
from distributed import Client
from distributed.security import Security

from bgsub.distributed import connecting, fitting_in
from bgsub.distributed.connecting import Certificates, checked_address, connected, is_loopback
from bgsub.errors import ClusterError
from tests.distributed.conftest import small_cluster

pytestmark = pytest.mark.slow


def refusal(*arguments, **settings) -> str:
    with pytest.raises(ClusterError) as error, connected(*arguments, **settings):
        pass
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.fixture
def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("tcp://10.0.0.5:8786", "tcp://10.0.0.5:8786"),
        ("10.0.0.5:8786", "tcp://10.0.0.5:8786"),
        ("tls://host.example:8786/", "tls://host.example:8786"),
        ("tcp://[::1]:8786", "tcp://[::1]:8786"),
    ],
)
def test_addresses_are_taken_as_dask_writes_them(typed, address):
    assert checked_address(typed) == address


@pytest.mark.parametrize(
    "typed", ["host", "tcp://host", "http://host:80", "tcp://host:port", "tcp://h:1/x", "tcp://:1"]
)
def test_what_is_no_address_is_refused_before_anything_is_tried(typed):
    with pytest.raises(ClusterError) as error:
        checked_address(typed)
    assert str(error.value) == (f"{typed} is no address of a scheduler; give local, tcp://HOST:PORT or tls://HOST:PORT")


@pytest.mark.parametrize(
    ("typed", "told"), [("", "an empty text"), ("tcp://me:secret@h:1", "tcp://h:1"), ("me:secret@h:1", "h:1")]
)
def test_what_is_no_address_is_told_without_secrets(typed, told):
    with pytest.raises(ClusterError, match=f"^{told} is no address of a scheduler"):
        checked_address(typed)


@pytest.mark.parametrize(
    ("address", "loopback"),
    [
        ("tcp://127.0.0.1:1", True),
        ("tcp://127.9.0.3:1", True),
        ("tcp://[::1]:1", True),
        ("tcp://localhost:1", True),
        ("tcp://10.0.0.5:1", False),
        ("tcp://localhost.example.com:1", False),
        ("tcp://0.0.0.0:1", False),
    ],
)
def test_loopback_is_told_from_a_network(address, loopback):
    assert is_loopback(address) is loopback


def test_processes_of_this_machine_have_the_threads_that_are_asked_for_and_end_with_the_block():
    with connected(workers=1, threads=3) as client:
        (worker,) = client.scheduler_info()["workers"].values()
        assert worker["nthreads"] == 3
        (pid,) = client.run(os.getpid).values()
        assert pid != os.getpid()
        (address,) = client.scheduler_info()["workers"]
        assert is_loopback(address) and is_loopback(client.scheduler.address)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_scheduler_that_runs_is_used_and_left_running(address):
    for _ in range(2):
        with connected(address) as client:
            assert client.submit(abs, -3).result() == 3
            assert len(client.scheduler_info()["workers"]) == 2


def test_nobody_answers(free_port):
    told = refusal(f"tcp://127.0.0.1:{free_port}", patience=0.3)
    assert told.startswith(f"no scheduler answers at tcp://127.0.0.1:{free_port} within 0.3 s; start one there")


def test_somebody_else_answers():
    class Silent(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Silent) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        told = refusal(f"127.0.0.1:{server.server_port}", patience=1)
        server.shutdown()
    assert told.startswith(f"no scheduler answers at tcp://127.0.0.1:{server.server_port}")


def test_a_scheduler_without_workers():
    with small_cluster(0) as empty:
        told = refusal(empty.scheduler_address, patience=0.3)
    assert told == (
        f"the scheduler at {empty.scheduler_address} has no workers; "
        f"start one on each machine: dask worker {empty.scheduler_address}"
    )


def test_workers_of_another_bgsub(address, monkeypatch):
    monkeypatch.setattr(fitting_in, "build", lambda: ("9.9.0", "0"))
    version = fitting_in.bgsub.__version__
    told = refusal(address)
    worker = told.partition(" (and")[0]
    assert worker.startswith("the worker tcp://127.0.0.1:")
    assert told == (
        f"{worker} (and 1 more like it) has bgsub {version}, this process bgsub 9.9.0; "
        "install the same there, and start it again"
    )


def test_workers_of_the_same_version_with_other_code(address, monkeypatch):
    monkeypatch.setattr(fitting_in, "build", lambda: (fitting_in.bgsub.__version__, "0"))
    assert f"has bgsub {fitting_in.bgsub.__version__} with other code" in refusal(address)


def test_a_worker_without_bgsub():
    def forget():
        sys.modules["bgsub"] = None

    with small_cluster() as one, Client(one) as client:
        client.run(forget)
        (worker,) = client.scheduler_info()["workers"]
        told = refusal(one.scheduler_address)
    assert told.startswith(f"the worker {worker} has no bgsub, this process bgsub ")


def test_a_worker_of_another_python(address, monkeypatch):
    real = Client.get_versions

    def other(self, *arguments, **settings):
        told = real(self, *arguments, **settings)
        next(iter(told["workers"].values()))["packages"]["python"] = "3.9.18.final.0"
        return told

    monkeypatch.setattr(Client, "get_versions", other)
    told = refusal(address)
    assert told.startswith("the worker tcp://127.0.0.1:")
    assert f" has Python 3.9, this process Python 3.{sys.version_info.minor}; " in told


def test_a_plain_address_beyond_loopback_is_warned_of(free_port, logged, monkeypatch):
    monkeypatch.setattr(connecting, "is_loopback", lambda address: False)
    refusal(f"127.0.0.1:{free_port}", patience=0.1)
    (line,) = logged
    assert line.startswith(f"WARNING: tcp://127.0.0.1:{free_port} is not encrypted: who can reach it can run")


def test_one_on_loopback_is_not(address, logged):
    with connected(address):
        pass
    assert logged == []


# ----------------------------------------------------------------------------------------------------------- encrypted


def written(folder, security: Security) -> Certificates:
    """The files of credentials that were made."""
    parts = {"ca": security.tls_ca_file, "cert": security.tls_client_cert, "key": security.tls_client_key}
    for name, text in parts.items():
        (folder / f"{name}.pem").write_text(text)
    return Certificates(*(str(folder / f"{name}.pem") for name in parts))


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory):
    security = Security.temporary()
    with small_cluster(security=security) as cluster:
        assert cluster.scheduler_address.startswith("tls://")
        yield cluster.scheduler_address, written(tmp_path_factory.mktemp("tls"), security)


def test_certificates_open_an_encrypted_cluster(encrypted, logged):
    address, certificates = encrypted
    with connected(address, certificates=certificates) as client:
        assert client.submit(abs, -3).result() == 3
    assert logged == []


def test_so_do_those_of_dasks_configuration(encrypted):
    address, certificates = encrypted
    names = {"ca-file": certificates.ca, "client.cert": certificates.cert, "client.key": certificates.key}
    settings = {f"distributed.comm.tls.{name}": path for name, path in names.items()}
    with dask.config.set(settings), connected(address) as client:
        assert client.submit(abs, -3).result() == 3


def test_an_encrypted_address_without_certificates(encrypted):
    assert refusal(encrypted[0]) == (
        f"{encrypted[0]} needs certificates: give --tls-ca, --tls-cert and --tls-key, "
        "or set distributed.comm.tls in Dask's configuration"
    )


def test_an_answer_that_is_not_encrypted_is_told_as_such():
    from bgsub.distributed.connecting import _why_not

    error = OSError("no handshake")
    error.__cause__ = ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number")
    error.__cause__.reason = "WRONG_VERSION_NUMBER"
    assert _why_not("tls://h:1", error, 1.0) == (
        "tls://h:1 answers without encryption; start the scheduler with certificates, or write tcp://"
    )


def test_certificates_of_somebody_else(encrypted, tmp_path):
    told = refusal(encrypted[0], certificates=written(tmp_path, Security.temporary()), patience=1)
    assert told.startswith(f"{encrypted[0]} does not accept the certificates, or shows others (")
    assert told.endswith("); check all three files")


def test_files_that_are_none(encrypted, tmp_path):
    address, good = encrypted
    told = refusal(address, certificates=Certificates(good.ca, str(tmp_path / "none.pem"), good.key))
    assert told == f"there is no certificate or key {tmp_path / 'none.pem'}; check the path"
    (tmp_path / "text.pem").write_text("no certificate")
    for broken in (
        Certificates(str(tmp_path / "text.pem"), good.cert, good.key),
        Certificates(good.ca, str(tmp_path / "text.pem"), good.key),
        Certificates(good.ca, good.cert, good.ca),
    ):
        assert refusal(address, certificates=broken).startswith(f"cannot use the certificates for {address}: ")


def test_a_plain_address_takes_no_certificates_and_no_encryption_that_is_demanded(address, encrypted):
    assert refusal(address, certificates=encrypted[1]) == (
        f"{address} is a plain address, which takes no certificates; write tls://, or give none"
    )
    with dask.config.set({"distributed.comm.require-encryption": True}):
        assert refusal(address) == f"Dask's configuration asks for encryption, and {address} has none; write tls://"


def test_a_plain_connection_to_an_encrypted_scheduler(encrypted):
    plain = encrypted[0].replace("tls:", "tcp:")
    assert refusal(plain, patience=1).endswith("or check host, port, and whether it is tls://")


def test_an_encrypted_connection_to_a_plain_scheduler(address, encrypted):
    with contextlib.suppress(AssertionError):  # the text depends on what OpenSSL makes of the plain answer
        assert "whether it is tcp://" in refusal(address.replace("tcp:", "tls:"), certificates=encrypted[1], patience=1)
