"""Who gets in: with which password or token, for how long, and how often somebody may try."""

import asyncio

import pytest

from bgsub.live.settings import Access
from bgsub.live.web.entrances import ANYWAY, FREE_TRIES, UNUSED, Entrances, TooOften, Who
from tests.live.web.served import SteppedClock, cheap

OWNER, VIEWER = cheap("correct horse"), cheap("battery staple")
ACCESS = (Access(name="me", hash=OWNER), Access(name="wall", hash=VIEWER, role="viewer"))
HERE, THERE = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def clock():
    return SteppedClock()


def run(work):
    return asyncio.run(work)


def test_passwords_and_tokens_say_who_somebody_is(clock):
    async def enter():
        entrances = Entrances(ACCESS, clock)
        secret, who = await entrances.enter("battery staple", HERE)
        assert who == entrances.of_session(secret) == Who("wall", "viewer")
        assert await entrances.enter("wrong password", HERE) is None
        assert entrances.of_session("wrong") is None and entrances.of_session("") is None
        for _ in range(2):  # the second without trying
            assert await entrances.of_token("correct horse", HERE) == Who("me", "owner")
        assert await entrances.of_token("wrong token", HERE) is None
        entrances.leave(secret)
        assert entrances.of_session(secret) is None

    run(enter())


def test_sessions_end_without_use_and_anyway(clock):
    async def wait():
        entrances = Entrances(ACCESS, clock)
        secret, _ = await entrances.enter("correct horse", HERE)
        clock.ahead += UNUSED - 60
        assert entrances.of_session(secret) is not None
        clock.ahead += UNUSED - 60
        assert entrances.of_session(secret) is not None
        clock.ahead += UNUSED + 60
        assert entrances.of_session(secret) is None
        secret, _ = await entrances.enter("correct horse", HERE)
        for _ in range(int(ANYWAY / UNUSED) + 1):
            there = entrances.of_session(secret)
            clock.ahead += UNUSED - 60
        assert there is None or entrances.of_session(secret) is None

    run(wait())


def test_who_is_no_more_named_is_out_at_once(clock):
    async def change():
        entrances = Entrances(ACCESS, clock)
        mine, _ = await entrances.enter("correct horse", HERE)
        walls, _ = await entrances.enter("battery staple", HERE)
        await entrances.of_token("correct horse", HERE)
        entrances.change(ACCESS[1:])
        assert entrances.of_session(mine) is None and entrances.of_session(walls) is not None
        assert await entrances.of_token("correct horse", HERE) is None

    run(change())


def test_wrong_tries_have_to_wait_longer_and_longer_each_address_alone(clock):
    async def guess():
        entrances = Entrances(ACCESS, clock)
        for n in range(FREE_TRIES):
            assert await entrances.enter(f"wrong password {n}", HERE) is None
        with pytest.raises(TooOften, match=r"too many wrong tries: wait 15 s"):
            await entrances.enter("correct horse", HERE)  # not even the right one
        with pytest.raises(TooOften):
            await entrances.of_token("correct horse", HERE)
        assert await entrances.enter("correct horse", THERE) is not None
        clock.ahead += 16
        assert await entrances.enter("wrong password", HERE) is None
        clock.ahead += 16
        with pytest.raises(TooOften):
            await entrances.enter("correct horse", HERE)
        clock.ahead += 16
        assert await entrances.enter("correct horse", HERE) is not None
        assert await entrances.enter("wrong password", HERE) is None  # and may try again

    run(guess())


def test_tries_at_the_same_time_count_each(clock):
    async def guess():
        entrances = Entrances(ACCESS, clock)
        tries = (entrances.enter(f"wrong password {n}", HERE) for n in range(20))
        ends = await asyncio.gather(*tries, return_exceptions=True)
        assert sum(end is None for end in ends) == FREE_TRIES
        assert sum(isinstance(end, TooOften) for end in ends) == 20 - FREE_TRIES

    run(guess())


def test_a_network_of_ipv6_is_one_address(clock):
    async def guess():
        entrances = Entrances(ACCESS, clock)
        for n in range(FREE_TRIES):
            await entrances.enter("wrong password", f"2001:db8::{n}")
        with pytest.raises(TooOften):
            await entrances.enter("wrong password", "2001:db8::ffff:1")
        assert await entrances.enter("wrong password", "2001:db8:0:1::1") is None

    run(guess())
