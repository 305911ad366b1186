"""What an address of the network may be, and how it is shown."""

import pytest

from bgsub.video.addresses import NETWORK_SCHEMES, why_no_camera, without_password


@pytest.mark.parametrize("secret", ["p", "p/w", "p?w", "p#w", "p@w", "p%2Fw", "p:w/?#@1", "?", "/", "12?3"])
def test_no_part_of_a_password_is_shown(secret):
    for place in ("cam.local", "cam.local:554", "[::1]:554"):
        for query in ("", "?token=9"):
            assert without_password(f"rtsp://user:{secret}@{place}/main{query}") == f"rtsp://{place}/main"


def test_an_address_without_a_password_stays_but_for_its_query():
    for address in ("rtsp://cam/main", "http://10.0.0.7:80/a/b", "http://[fe80::1]/x", "udp://:1234/"):
        assert without_password(address) == address
        assert without_password(f"{address}?user=me&password=a@b/c") == address


@pytest.mark.parametrize("scheme", NETWORK_SCHEMES)
def test_an_address_of_each_kind_may_be_a_cameras(scheme):
    for place in ("cam.local/main", "user:pa%2Fss@10.0.0.7:554/main?x=1", "[::1]:1/x", "u:p@s@h/x"):
        assert why_no_camera(f"{scheme}://{place}") is None


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("rtps://h/x", f"it is no camera's address; give a URL of {', '.join(NETWORK_SCHEMES)}"),
        ("-", f"it is no camera's address; give a URL of {', '.join(NETWORK_SCHEMES)}"),
        ("rtsp:///main", "it names no host; write rtsp://host/path"),
        ("https://www.youtube.com/watch?v=1", "it is a web page, not a camera"),
    ],
)
def test_what_can_be_no_cameras_address_is_told(address, told):
    assert why_no_camera(address) == told


@pytest.mark.parametrize(
    "address", ["rtsp://h:99999/x", "rtsp://u:se/cret@h/x", "rtsp://u:se#cret@h/x", "rtsp://[::1/x"]
)
def test_an_address_that_is_taken_apart_wrongly_is_told_without_its_password(address):
    told = why_no_camera(address)
    assert told is not None
    assert told.startswith("its host and port are none; write rtsp://user:password@host:554/path")
    assert "se" not in told.split("write")[0]
