"""Errands over real workers: killed ones, poisoned ones, a scheduler that goes away, Ctrl-C, a client that is gone."""

from __future__ import annotations

import os
import signal
import threading
import time
from functools import partial

import pytest
from distributed import Client

from bgsub.distributed import spreading
from bgsub.distributed.at_work import Errand, _Threads
from bgsub.distributed.spreading import SetAside, spread
from bgsub.errors import ClusterError
from tests.distributed import errands as work
from tests.distributed.conftest import small_cluster

pytestmark = pytest.mark.slow


def errands(*functions, **settings):
    return [Errand(i, "scan", f"cam{i}/day.mp4", function, **settings) for i, function in enumerate(functions)]


def results(client, wanted, **settings):
    """What comes of errands, by their numbers: results, or errors."""
    ended = list(spread(client, wanted, **settings))
    assert len(ended) == len(wanted)
    return {one.errand.number: one.error or one.result for one in ended}


@pytest.fixture
def client(cluster):
    with Client(cluster) as client:
        yield client


def test_what_errands_return_comes_back(client, monkeypatch):
    monkeypatch.setattr(spreading, "WINDOW", 5)  # fewer than there are
    told = results(client, errands(*(partial(work.twice, i) for i in range(30))))
    assert told == {i: 2 * i for i in range(30)}


def test_nothing_to_do(client):
    assert results(client, []) == {}


def test_the_dashboard_shows_names_that_a_person_knows(client, cluster):
    told = results(client, errands(work.key_of, work.key_of))
    assert told[0].startswith("scan-1 cam0/day.mp4 ")
    assert told[1].startswith("scan-2 cam1/day.mp4 ")
    assert "scan" in cluster.scheduler.task_prefixes  # one kind, so that Dask knows how long they take
    assert not any("day.mp4" in name for name in cluster.scheduler.task_prefixes)


def test_two_runs_of_the_same_names_do_not_meet(client):
    first, second = (results(client, errands(work.key_of))[0] for _ in range(2))
    assert first != second


def test_an_errand_that_breaks_costs_itself(client):
    told = results(client, errands(work.broken, partial(work.twice, 4)))
    assert isinstance(told[0], RuntimeError)
    assert told[1] == 8


def test_a_worker_of_another_code_that_joins_later_is_refused(client):
    client.run(work.have_other_code)
    try:
        with pytest.raises(
            ClusterError, match=r"^the worker tcp://127\.0\.0\.1:\d+ has bgsub \S+ with other code, this p"
        ):
            results(client, errands(partial(work.twice, 1), partial(work.twice, 2)))
    finally:
        client.run(work.have_the_same_code)
    assert results(client, errands(partial(work.twice, 1))) == {0: 2}


def test_nothing_is_left_on_the_scheduler(client, cluster):
    results(client, errands(work.key_of, work.broken))
    deadline = time.monotonic() + 10
    while any(str(key).startswith("scan") for key in cluster.scheduler.tasks) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [key for key in cluster.scheduler.tasks if str(key).startswith("scan")] == []
    told = {name: value for name, value in cluster.scheduler.task_metadata.items() if name.startswith("bgsub-")}
    assert set(told.values()) == {None}


def test_a_killed_worker_costs_its_errand_only(client, tmp_path):
    def kill():
        work.wait_for(tmp_path, "first")
        work.wait_for(tmp_path, "second")
        os.kill(work.pids(tmp_path, "first")[0], signal.SIGKILL)
        (tmp_path / "go").touch()

    threading.Thread(target=kill).start()
    told = results(client, errands(*(partial(work.until_free, tmp_path, word) for word in ("first", "second"))))
    assert told == {0: "first", 1: "second"}
    assert len(work.pids(tmp_path, "first")) == 2
    assert len(work.pids(tmp_path, "second")) == 1


@pytest.mark.parametrize("allowed", [0, 3])
def test_what_takes_two_workers_down_is_set_aside_whatever_the_scheduler_allows(client, cluster, tmp_path, allowed):
    before, cluster.scheduler.allowed_failures = cluster.scheduler.allowed_failures, allowed
    try:
        others = (partial(work.twice, i) for i in range(1, 5))
        told = results(client, errands(partial(work.poison, tmp_path), *others))
    finally:
        cluster.scheduler.allowed_failures = before
    assert len(work.pids(tmp_path, "poison")) == 2
    aside = told.pop(0)
    assert isinstance(aside, SetAside)
    assert told == {i: 2 * i for i in range(1, 5)}
    assert str(aside) == (
        "cannot scan cam0/day.mp4: its worker was killed 2 times, as happens where memory ends; "
        "leave it out, or give workers more memory"
    )


@pytest.fixture(scope="module")
def wide():
    """One worker of two threads."""
    with small_cluster(1, 2) as cluster, Client(cluster) as client:
        yield client


def test_what_is_done_beside_a_poisoned_one_is_not_set_aside_with_it(wide, tmp_path):
    told = results(wide, errands(partial(work.poison_with_others, tmp_path), *[partial(work.innocent, tmp_path)] * 4))
    assert isinstance(told.pop(0), SetAside)
    assert set(told.values()) == {"innocent"}
    assert len(work.pids(tmp_path, "poison")) == 2


def test_errands_share_the_threads_of_their_worker(wide, tmp_path):
    (tmp_path / "one").mkdir()
    whole = results(wide, errands(*[partial(work.alone, tmp_path)] * 6, threads=2))
    assert set(whole.values()) == {True}  # each has both threads
    assert set(results(wide, errands(*[work.threads_of] * 4, threads=64)).values()) == {2}
    assert set(results(wide, errands(*[work.threads_of] * 4)).values()) == {1}
    assert results(wide, errands(work.threads_of)) == {0: 2}  # nobody else needs the other one


def test_threads_go_to_those_who_ask_in_turn():
    threads, order = _Threads(), []

    def use(name, count):
        with threads.taken(count, 2):
            order.append(name)

    with threads.taken(1, 2):
        wide = threading.Thread(target=use, args=("wide", 2))
        wide.start()
        while not threads._turn.locked():
            time.sleep(0.001)
        narrow = threading.Thread(target=use, args=("narrow", 1))
        narrow.start()
        time.sleep(0.05)
        assert order == []  # else who asks for many would wait for ever
    wide.join()
    narrow.join()
    assert order == ["wide", "narrow"]


def test_how_far_errands_are_is_told_with_their_workers(client, tmp_path):
    seen = []

    def on_sight(sights):
        seen.extend(sights)
        if any(sight.read == 1 for sight in sights):
            raise KeyboardInterrupt

    (ended,) = spread(client, errands(partial(work.until_stopped, tmp_path, "a")), on_sight)
    sight = next(sight for sight in seen if sight.read == 1)
    assert (sight.errand.name, sight.total) == ("cam0/day.mp4", 10)
    assert sight.worker in {str(name) for name in client.run(lambda dask_worker: dask_worker.name).values()}
    assert isinstance(ended.error, KeyboardInterrupt)


def test_after_ctrl_c_those_in_work_end_in_order_and_others_never_begin(client, tmp_path):
    def on_sight(sights):
        if len(sights) == 2:
            raise KeyboardInterrupt

    wanted = errands(*(partial(work.until_stopped, tmp_path, word) for word in "abcd"))
    ended = list(spread(client, wanted, on_sight))
    assert sorted(one.result for one in ended) == ["a", "b"]
    assert all(isinstance(one.error, KeyboardInterrupt) for one in ended)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "a-stopped", "b", "b-stopped"]


def test_errands_end_when_their_client_is_gone(address, tmp_path):
    with Client(address) as other:
        going = spread(other, errands(partial(work.until_stopped, tmp_path, "a")))

        def wait():
            with pytest.raises(ClusterError):
                next(going)

        waiting = threading.Thread(target=wait)
        waiting.start()
        work.wait_for(tmp_path, "a")
        other.close()
    waiting.join()
    work.wait_for(tmp_path, "a-stopped")


def test_a_scheduler_that_goes_away_is_no_error_of_an_errand(tmp_path):
    with small_cluster(1) as cluster, Client(cluster.scheduler_address) as client:
        going = spread(client, errands(partial(work.twice, 3), *[partial(work.until_stopped, tmp_path, "b")] * 3))
        ended = [next(going)]
        work.wait_for(tmp_path, "b")
        cluster.close()
        with pytest.raises(ClusterError) as error:
            ended.extend(going)
    assert [one.result for one in ended] == [6]
    assert str(error.value).startswith(f"the scheduler at {cluster.scheduler_address} went away, with 3 left to do; ")
    assert "\n" not in str(error.value)


def test_that_no_worker_is_left_is_said_once(tmp_path, monkeypatch, logged):
    monkeypatch.setattr(spreading, "_SILENCE", 0.1)
    began = time.monotonic()

    def on_sight(sights):
        assert time.monotonic() - began < 60
        if logged and time.monotonic() - warned.setdefault("first", time.monotonic()) > 1:
            raise KeyboardInterrupt

    warned = {}
    with small_cluster(0) as cluster, Client(cluster) as client:
        assert list(spread(client, errands(partial(work.twice, 1)), on_sight)) == []
    assert logged == [f"WARNING: no worker is left at {cluster.scheduler_address}: waiting for one to start"]
