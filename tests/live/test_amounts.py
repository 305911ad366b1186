"""Times, sizes, names and secrets as people write them."""

import pytest

from bgsub.errors import ParameterError
from bgsub.live.configuration.amounts import seconds, size
from bgsub.live.configuration.hiding import has_password, revealed, shown
from bgsub.live.configuration.naming import camera_names
from bgsub.live.layout import CAMERA_NAME


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[("90", 90), ("1.5", 1.5), ("30s", 30), (" 10 min ", 600), ("2h", 7200), ("30d", 2_592_000), ("500ms", 0.5)],
        *[("1h30min", 5400), ("1 week 1 day", 691_200), (".5h", 1800), ("2 Days", 172_800), ("0", 0)],
    ],
)
def test_times(text, value):
    assert seconds(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "s", "-3s", "3 parsecs", "1e3", "3s3", "inf", "nan", "1:30", "9" * 400 + "d"])
def test_what_is_no_time_is_told(text):
    with pytest.raises(ParameterError, match=r"is no time: write seconds \(90\), or 30s, 10min, 2h, 30d$"):
        seconds(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("500MB", 5 * 10**8), ("20 GB", 2 * 10**10), ("1.5GiB", 3 * 2**29), ("12", 12), ("7 bytes", 7), ("1TB", 10**12)],
)
def test_sizes(text, value):
    assert size(text) == value


@pytest.mark.parametrize("text", ["", "GB", "20GX", "-1MB", "1GB 2MB", "3min"])
def test_what_is_no_size_is_told(text):
    with pytest.raises(ParameterError, match=r"is no size: write bytes, or 500MB, 20GB, 1TB$"):
        size(text)


def test_cameras_are_named_after_what_they_are():
    sources = [
        "0",
        "07",
        "rtsp://u:p@10.0.0.7:554/a",
        "http://Yard.local/x",
        "YARD-local.mp4",
        "///",
        "http://[",
        "ü.mp4",
    ]
    names = camera_names([*sources, "x" * 300 + ".mp4", "x" * 300 + ".mkv", "C:\\clips\\a b.mp4"])
    assert names[:8] == (
        "camera-0",
        "camera-7",
        "10-0-0-7",
        "yard-local",
        "YARD-local-2",
        "camera",
        "camera-2",
        "camera-3",
    )
    assert names[-1] == "a-b"
    assert all(CAMERA_NAME.fullmatch(name) for name in names)
    assert len({name.lower() for name in names}) == len(names)


@pytest.mark.parametrize(
    ("address", "left"),
    [
        ("rtsp://admin:secret@yard/main?token=secret", "rtsp://yard/main"),
        ("rtsp://admin:sec/ret@yard/main", "rtsp://yard/main"),
        ("rtsp://admin:sec@ret@yard/main", "rtsp://yard/main"),
        ("http://yard/main", "http://yard/main"),
        ("clips/secret@night.mp4", "clips/secret@night.mp4"),
        ("0", "0"),
    ],
)
def test_addresses_are_shown_without_secrets(address, left):
    assert shown(address) == left
    assert has_password(address) == (left != address)


def test_a_text_may_stand_for_a_variable_of_the_environment():
    assert revealed("env:YARD", {"YARD": "rtsp://u:p@h/x"}) == "rtsp://u:p@h/x"
    assert revealed("env: YARD", {}) == "env: YARD"
    with pytest.raises(ParameterError, match=r"^the environment has no YARD: set it, or write the value itself$"):
        revealed("env:YARD", {"YARD": ""})
