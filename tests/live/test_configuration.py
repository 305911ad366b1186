"""The file of cameras: what it may say, and what a wrong one is told."""

import os

import msgspec
import pytest

from bgsub.errors import MissingExtraError, ParameterError, SourceError
from bgsub.live.configuration.checking import check_sources, host_and_port
from bgsub.live.configuration.reading import read_configuration
from bgsub.live.settings import Camera, Mqtt, Retention, Tell, Watch, Webhook, Zone
from bgsub.live.telling.occasions import FACTS
from bgsub.video.addresses import why_no_camera

CAMERA = '[[cameras]]\nname = "yard"\nsource = "rtsp://yard/main"\n'
ZONE = CAMERA + '[[cameras.zones]]\nname = "gate"\n'
CORNERS = "polygon = [[0, 0], [1, 0], [1, 1]]\n"

WHOLE = """
directory = "kept"
state = "state"
fsync = false
listen = "[::1]:0"

[retention]
max_age = "30d"
max_size = "20 GB"
min_free = 1000

[tell]
command = ["notify-send", "{camera}"]
apprise = ["env:PHONE"]
webhook = [{ url = "https://example.com/x", secret = "env:SIGNS" }]

[tell.mqtt]
host = "broker"
password = "env:BROKER"

[[cameras]]
name = "yard"
source = "env:YARD"
detect = "rtsp://yard/sub"
before = "10s"
after = 2.5
longest = "5 min"
record = "both"
draw = ["boxes"]

[[cameras.zones]]
name = "gate"
polygon = [[0, 0], [0.5, 0], [0.5, 1]]
loiter = "1min"

[[cameras.zones]]
name = "window"
polygon = [[0.5, 0], [1, 0], [1, 1]]
kind = "privacy"

[[cameras]]
name = "door"
source = 0

[[cameras]]
name = "trial"
source = "street.mp4"
loop = true
"""


@pytest.fixture
def read(tmp_path):
    """Reads a file with the text that is given."""

    def call(text, mode=0o600):
        path = tmp_path / "cameras.toml"
        path.write_text(text)
        path.chmod(mode)
        return read_configuration(path)

    return call


def test_a_whole_file(read, tmp_path, monkeypatch):
    for name, value in {"YARD": "rtsp://u:p@yard/main", "PHONE": "json://h", "SIGNS": "s", "BROKER": "b"}.items():
        monkeypatch.setenv(name, value)
    gate = Zone(name="gate", polygon=((0, 0), (0.5, 0), (0.5, 1)), loiter=60)
    window = Zone(name="window", polygon=((0.5, 0), (1, 0), (1, 1)), kind="privacy")
    found = read(WHOLE, 0o644)
    assert found.warnings == ()  # its secrets lie in the environment
    assert found.watch == Watch(
        directory=str(tmp_path / "kept"),
        state=str(tmp_path / "state"),
        fsync=False,
        listen="[::1]:0",
        retention=Retention(max_age=30 * 86400, max_size=20 * 10**9, min_free=1000),
        tell=Tell(
            command=("notify-send", "{camera}"),
            apprise=("json://h",),
            webhook=(Webhook(url="https://example.com/x", secret="s"),),
            mqtt=Mqtt(host="broker", password="b"),
        ),
        cameras=(
            Camera(
                name="yard",
                source="rtsp://u:p@yard/main",
                detect="rtsp://yard/sub",
                before=10,
                after=2.5,
                longest=300,
                record="both",
                draw=("boxes",),
                zones=(gate, window),
            ),
            Camera(name="door", source="0"),
            Camera(name="trial", source=str(tmp_path / "street.mp4"), loop=True),
        ),
    )
    assert found.watch.cameras[0].has_privacy


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "there is no camera: give at least one, [[cameras]] with a name and a source"),
        ("cameras = []", "there is no camera: give at least one, [[cameras]] with a name and a source"),
        ("[[camera]]", "there is no key 'camera' here; is it cameras?"),
        ("cameras = 3", "cameras: give a list, not a whole number"),
        ("cameras = [3]", "camera 1: give a table, not a whole number"),
        (CAMERA + "befor = 3", "camera \"yard\": there is no key 'befor' here; is it before?"),
        (
            CAMERA + "listen = ':1'",
            "camera \"yard\": there is no key 'listen' here; write listen at the top, before the first line with "
            "brackets, which begins a table",
        ),
        ("[[cameras]]\nname = 'a'", 'camera "a": there is no source: give it'),
        ("[[cameras]]\nsource = 'a'", "camera 1: there is no name: give it"),
        (
            "[[cameras]]\nname = 'a b'\nsource = '0'",
            "camera 1: name 'a b' does not do: give 1 to 64 letters, digits, - and _",
        ),
        (
            "[[cameras]]\nname = '..'\nsource = '0'",
            "camera 1: name '..' does not do: give 1 to 64 letters, digits, - and _",
        ),
        (
            "[[cameras]]\nname = 'NUL'\nsource = '0'",
            "camera 1: name 'NUL' does not do: give 1 to 64 letters, digits, - and _",
        ),
        (CAMERA + CAMERA, "two cameras are called yard: give each a name of its own"),
        (CAMERA + CAMERA.replace("yard", "YARD"), "two cameras are called YARD: give each a name of its own"),
        (CAMERA + "before = '6min'", 'camera "yard", before: give a number <= 300.0'),
        (CAMERA + "before = nan", 'camera "yard", before: give a number >= 0.0'),
        (
            CAMERA + "before = 'soon'",
            "camera \"yard\", before: 'soon' is no time: write seconds (90), or 30s, 10min, 2h, 30d",
        ),
        (CAMERA + "record = 'all'", "camera \"yard\", record: there is no 'all'; give events, continuous, both, none"),
        (CAMERA + "draw = ['box']", "camera \"yard\", draw, entry 1: there is no 'box'; give boxes, mask"),
        (CAMERA + "loop = 1", 'camera "yard", loop: give true or false, not a whole number'),
        (CAMERA + "loop = true", 'camera "yard": loop is for files, and its source is none: leave it out'),
        (CAMERA + "method = 'knn'", "camera \"yard\": there is no method 'knn': choose adaptive, mog2"),
        (CAMERA + "sensitivity = 9", 'camera "yard", sensitivity: give a number <= 4.0'),
        (CAMERA + "detect = ' '", 'camera "yard": detect is empty: give an address, a webcam\'s number, or a file'),
        (ZONE, 'camera "yard", zone "gate": there is no polygon: give it'),
        (
            ZONE + "polygon = [[0, 0], [2, 1]]",
            'camera "yard", zone "gate", polygon, entry 2, entry 1: give a number <= 1.0: corners are fractions of the '
            "picture's width and height",
        ),
        (ZONE + "polygon = [[0, 0], [1, 1]]", 'camera "yard": zone gate has a polygon of 2 points: give at least 3'),
        (
            ZONE + CORNERS + "kind = 'line'\nloiter = 1",
            'camera "yard": zone gate: nothing loiters in one of kind line: leave out loiter',
        ),
        (
            ZONE + CORNERS + "[[cameras.zones]]\nname = 'gate'\n" + CORNERS,
            'camera "yard": two zones are called gate: give each a name of its own',
        ),
        ("listen = 'all'\n" + CAMERA, "listen: 'all' is no address: write 127.0.0.1:8099, or port 0 for a free one"),
        (
            "[retention]\nmax_size = '9 lives'\n" + CAMERA,
            "retention, max_size: '9 lives' is no size: write bytes, or 500MB, 20GB, 1TB",
        ),
        (
            "[tell.mqtt]\nhost = 'env:NO_SUCH'\n" + CAMERA,
            "tell, mqtt, host: the environment has no NO_SUCH: set it, or write the value itself",
        ),
        (
            "[tell.mqtt]\nhost = 'h'\ntopic = 'a/#'\n" + CAMERA,
            "tell, mqtt: topic 'a/#' is no topic: write words of letters, digits, - and _, with / between",
        ),
        (
            "[tell]\nzones = ['gaet']\n" + CAMERA + "zones = [{ name = 'gate', polygon = [[0, 0], [1, 0], [1, 1]] }]\n",
            "tell, zones: no camera has a zone 'gaet': give one of gate",
        ),
        (
            "[tell]\nzones = ['gate']\n" + CAMERA,
            "tell, zones: no camera has a zone 'gate': give one of those that cameras have, of which there are none",
        ),
        (
            "[tell]\ncommand = ['say', '{clup}']\n" + CAMERA,
            f"tell, command: there is no {{clup}}; give one of {', '.join(FACTS)}",
        ),
        (
            ZONE + CORNERS + "before = '3s'",
            'camera "yard", zone "gate": there is no key \'before\' here; '
            "write before below [[cameras]], before that camera's [[cameras.zones]]",
        ),
        (
            CAMERA + "[retention]\nmax_age = 30",
            "retention, max_age: that is 30 seconds: write 30d for days, or at least 10min",
        ),
        (
            CAMERA + "[retention]\nmax_age = 0",
            "retention, max_age: that is 0 seconds: write 1d for days, or at least 10min",
        ),
        (
            CAMERA + "[retention]\nmax_size = 200",
            "retention, max_size: that is 200 bytes: write 200GB, or at least 1MB",
        ),
        ("max_age = '3d'\n" + CAMERA, "there is no key 'max_age' here; write max_age below [retention]"),
        (CAMERA + "loiter = 3", "camera \"yard\": there is no key 'loiter' here; write loiter below [[cameras.zones]]"),
        (CAMERA + "[[retention]]\nmax_age = '3d'", "retention: give a table, not a list"),
        (CAMERA + "[[tell.mqtt]]\nhost = 'h'", "tell, mqtt: give a table, not a list"),
        (CAMERA + "[tell.webhook]\nurl = 'http://h/'", "tell, webhook: give a list, not a table"),
        ("cameras = [[1]]", "camera 1: give a table, not a list"),
        ("listen = 8099\n" + CAMERA, "listen: give a text, not a whole number"),
        (CAMERA + "[retention]\nmax_size = 1.5", "retention, max_size: give a whole number, not a number"),
        ("directory = ''\n" + CAMERA, "directory is empty: name a folder"),
        (
            "directory = 'a'\nstate = './a'\n" + CAMERA,
            "state and directory are the same folder: give the index a folder of its own",
        ),
        (
            'directory = "a\\u0000b"\n' + CAMERA,
            "directory: it holds a character (NUL) that no name and no address can have: leave that out",
        ),
        (CAMERA.replace("rtsp:", "rtps:"), f'camera "yard": source: {why_no_camera("rtps://h")}'),
        (CAMERA.replace("yard/main", "h:99999/"), f'camera "yard": source: {why_no_camera("rtsp://h:99999/")}'),
        (
            CAMERA + "detect = 'https://youtu.be/x'",
            'camera "yard": detect: it is a web page, not a camera',
        ),
        (
            "[tell]\nwebhook = [{ url = 'ftp://u:p@x' }]\n" + CAMERA,
            "tell, webhook 1: url is none: write http://host/path or https://...",
        ),
    ],
)
def test_a_wrong_file_is_told_with_its_place(read, text, told):
    with pytest.raises(ParameterError) as error:
        read(text)
    assert str(error.value) == f"cameras.toml: {told}"


def test_a_file_may_begin_with_the_mark_of_some_editors_and_have_their_ends_of_lines(read):
    assert read("\ufeff" + CAMERA.replace("\n", "\r\n")).watch.cameras[0].name == "yard"


def test_what_is_no_toml_or_not_there_is_told(read, tmp_path):
    with pytest.raises(ParameterError, match=r"^cameras.toml is no TOML: .* \(at line 1, column 5\)$"):
        read("x = ]")
    with pytest.raises(ParameterError, match=r"^cameras.toml is larger than 1 MiB: it is no file of cameras$"):
        read("#" * (1 << 20) + "\n")
    with pytest.raises(ParameterError, match=r"none.toml: No such file or directory; check the path$"):
        read_configuration(tmp_path / "none.toml")
    with pytest.raises(ParameterError, match=r"is no TOML"):
        read("a = " + "[" * 100_000)


@pytest.mark.skipif(os.name == "nt", reason="there a file's mode says nothing of who may read it")
@pytest.mark.parametrize(
    "secret",
    [
        *[CAMERA.replace("rtsp://yard", "rtsp://u:p@yard"), CAMERA + "[tell.mqtt]\nhost = 'h'\npassword = 'p'"],
        *[CAMERA + "[tell]\nwebhook = [{ url = 'http://h?token=1' }]"],
    ],
)
def test_secrets_that_others_can_read_are_told(read, secret):
    told = "cameras.toml holds passwords, and others can read it: chmod 600 cameras.toml, or write env:NAME"
    assert read(secret, 0o640).warnings == (told,)
    assert read(secret, 0o600).warnings == ()
    assert read(CAMERA, 0o644).warnings == ()


def test_apprise_is_asked_for_where_it_is_missing(read, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        MissingExtraError, match=r'^apprise, under tell, needs apprise, .*; pip install "bgsub\[notify\]"$'
    ):
        read(CAMERA + "[tell]\napprise = ['json://h']")


def test_each_time_and_size_may_have_a_unit(read):
    """What the settings call seconds takes 30s, and what they call bytes 1GB."""
    read(CAMERA + "[tell]\npause = '1min'\n")
    for kind, table in ((Camera, CAMERA), (Zone, ZONE + CORNERS), (Retention, CAMERA + "[retention]\n")):
        for field in msgspec.structs.fields(kind):
            described = (kind.__doc__ or "").partition(field.name)[2]
            if "Seconds" in str(field.type) or (
                field.name in ("before", "after", "longest", "merge", "segment", "min_length")
            ):
                assert described
                read(f"{table}{field.name} = '{'30min' if kind is Retention else '30s'}'\n")
            if field.name in ("max_size", "min_free"):
                read(f"{table}{field.name} = '1GB'\n")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        *[("127.0.0.1:8099", ("127.0.0.1", 8099)), (":0", ("127.0.0.1", 0)), ("[::1]:80", ("::1", 80))],
        ("localhost:65535", ("localhost", 65535)),
    ],
)
def test_addresses_to_listen_on(text, address):
    assert host_and_port(text) == address


@pytest.mark.parametrize("text", ["8099", "host", "host:", "host:65536", "http://h:80/x", "a b:1"])
def test_what_is_no_address_to_listen_on_is_told(text):
    with pytest.raises(ParameterError, match="is no address"):
        host_and_port(text)


def test_cameras_of_which_none_can_ever_be_opened_are_refused(tmp_path):
    away, at_hand = (
        Camera(name=name, source=str(path), loop=True) for name, path in (("a", tmp_path / "no.mp4"), ("b", tmp_path))
    )
    with pytest.raises(SourceError, match=r"^cannot open .*no.mp4: no such file or folder; check the path$"):
        check_sources(Watch(cameras=(away,)))
    check_sources(Watch(cameras=(away, at_hand)))
    check_sources(Watch(cameras=(away, Camera(name="c", source="rtsp://nowhere/x"))))


@pytest.mark.parametrize("key", ["source", "detect"])
def test_what_is_on_this_machine_and_no_camera_is_refused(tmp_path, key):
    """Whatever the other cameras are; an address without its beginning is such a path."""

    def refused(source):
        both = {"source": "rtsp://yard/main"} | {key: source}
        with pytest.raises((ParameterError, SourceError)) as error:
            check_sources(Watch(cameras=(Camera(name="b", source="0"), Camera(name="a", **both))))
        return str(error.value)

    assert refused(str(tmp_path)) == (
        f'camera "a": {tmp_path} is no camera; give an address, rtsp://..., or a webcam\'s number'
    )
    assert refused("10.0.0.7/main").endswith("check the path, or, if it is an address, write rtsp:// before it")
    (tmp_path / "a.mp4").touch()
    assert refused(str(tmp_path / "a.mp4")).startswith('camera "a": a.mp4 is a recording: give loop')
    for device in ("/dev/video9", "/dev/v4l/by-id/usb-cam-index0"):
        check_sources(Watch(cameras=(Camera(name="a", **({"source": "rtsp://yard/main"} | {key: device})),)))


def test_a_recording_is_watched_only_as_a_camera(tmp_path):
    (tmp_path / "a.mp4").touch()
    once, again = (Camera(name="a", source=str(tmp_path / "a.mp4"), loop=loop) for loop in (False, True))
    with pytest.raises(ParameterError) as error:
        check_sources(Watch(cameras=(once,)))
    told = 'camera "a": a.mp4 is a recording: give loop to play it as a camera would, again and again; bgsub scan '
    assert str(error.value) == told + "finds what moves in recordings"
    check_sources(Watch(cameras=(again,)))
