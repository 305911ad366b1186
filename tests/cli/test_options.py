"""Kinds of values that commands share."""

import click
import pytest

from bgsub.background.parameters import Parameter
from bgsub.cli.options import FromTable, Scale, Seconds, Word, model_options, read_region
from bgsub.errors import ParameterError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *[("0", 0), ("90", 90), ("2.5", 2.5), ("1:30", 90), ("1:30.25", 90.25), ("1:02:03.5", 3723.5), ("0:90", 90)],
        *[("10s", 10), ("0s", 0), ("1.5s", 1.5), ("10 sec", 10), ("500ms", 0.5), ("1s500ms", 1.5), (".5s", 0.5)],
        *[("1m", 60), ("2min", 120), ("1m30s", 90), ("1m 30s", 90), ("1M30S", 90), ("1.5m", 90), ("1m5ms", 60.005)],
        *[("1h", 3600), ("1h2m3.5s", 3723.5), ("1h30s", 3630), ("0.5h", 1800), (" 90 ", 90)],
    ],
)
def test_times(text, seconds):
    assert Seconds().convert(text, None, None) == pytest.approx(seconds, abs=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        *["", "x", "1:", "1:x", "1:2:3:4", "-1", "1:-1", "nan", "inf", "infs", "nans"],
        *["-1s", "1x", "s", "h", "ms", "1h30", "1m30", "30s1m", "1s1s", "1:30s", "50%", "1,5", "1d", "1e3s"],
    ],
)
def test_what_is_no_time(text):
    with pytest.raises(click.BadParameter, match="is no time: write seconds"):
        Seconds().convert(text, None, None)


@pytest.mark.parametrize(
    ("text", "scale"),
    [("0.5", 0.5), ("1", 1), ("640", 640), ("50%", 0.5), ("100%", 1), ("12.5 %", 0.125), (" 320", 320)],
)
def test_scales(text, scale):
    assert Scale().convert(text, None, None) == scale


@pytest.mark.parametrize(
    "text", ["", "x", "%", "150%", "0%", "-5%", "nan%", "50%x", "inf", "nan", "640x360", "50 percent"]
)
def test_what_is_no_scale(text):
    with pytest.raises(click.BadParameter, match=r"is no scale: write 50% or 0\.5, or a width in pixels"):
        Scale().convert(text, None, None)


def test_words_in_capitals():
    assert [Word(["ffv1", "h264"]).convert(text, None, None) for text in ("FFV1", "H264", "ffv1")] == [
        "ffv1",
        "h264",
        "ffv1",
    ]


def test_a_parameter_in_seconds_is_a_time():
    kind = FromTable({"new": TABLES["new"]["time"]})
    assert [kind.convert(text, None, None) for text in ("90", "1m30s", "1:30", "2.5")] == [90, 90, 90, 2.5]
    with pytest.raises(click.BadParameter, match="100s is out of bounds: give a number above 0, up to 99"):
        kind.convert("100s", None, None)
    with pytest.raises(click.BadParameter, match="'soon' is no time"):
        kind.convert("soon", None, None)


def test_regions():
    assert read_region(()) is None
    assert read_region(("1,2 3,4 5,6", "0,0 9,0 9,9.5")) == [[(1, 2), (3, 4), (5, 6)], [(0, 0), (9, 0), (9, 9.5)]]
    with pytest.raises(ParameterError, match="not both"):
        read_region(("1,2 3,4 5,6", "mask.png"))


TABLES = {
    "new": {
        "size": Parameter("size", 4, 1, 9, "pixels", "how large"),
        "time": Parameter("time", 2.5, 0, 99, "s", "how long", above=True),
        "rare": Parameter("rare", 0.5, 0, 1, "", "who knows", advanced=True),
        "gain": Parameter("gain", 3.0, 0, 9, "", "seldom wanted", advanced=True),
    },
    "old": {
        "size": Parameter("size", 6, 1, 20, "pixels", "how large"),
        "fast": Parameter("fast", False, 0, 1, "", "be quick"),
        "gain": Parameter("gain", 2.0, 0, 5, "dB", "how loud"),
    },
}


def test_options_of_two_models():
    @model_options(TABLES, without=("rare",))
    def made(**values):
        """Do nothing."""

    options = {option.name: option for option in click.command()(made).params}
    assert list(options) == ["size", "time", "fast", "gain"]
    assert {name: (option.section, option.metavar, option.hidden) for name, option in options.items()} == {
        "size": ("Model", None, False),
        "time": ("Method new", "TIME", False),
        "gain": ("Method old", None, False),
        "fast": ("Method old", None, False),
    }
    assert [option.help for option in options.values()] == [
        "How large (pixels); a whole number from 1 to 9; old a whole number from 1 to 20. [default: 4; old 6]",
        "How long (s); a number above 0, up to 99. [default: 2.5]",
        "Be quick. [default: no-fast]",
        "How loud (dB); a number from 0 to 5. [default: 2]",
    ]
    assert options["fast"].opts == ["--fast"] and options["fast"].secondary_opts == ["--no-fast"]
    hidden = {option.name: option.hidden for option in click.command()(model_options(TABLES)(lambda: None)).params}
    assert hidden == {"size": False, "time": False, "gain": False, "fast": False, "rare": True}


def test_a_value_that_one_of_the_models_takes():
    kind = FromTable({method: table["size"] for method, table in TABLES.items()})
    assert [kind.convert(text, None, None) for text in ("9", "20")] == [9, 20]
    for text in ("0", "21", "2.5", "x", ""):
        with pytest.raises(
            click.BadParameter, match=f"^{text} is out of bounds: give a whole number from 1 to 9; old a"
        ):
            kind.convert(text, None, None)
