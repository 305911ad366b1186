"""Which frames `bgsub run` takes, from which kinds of source, and what part of them."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from bgsub.background.mog2.model import MOG2
from bgsub.jobs import Excerpt, Job, ModelChoice, Outputs, execute
from tests.cli.clips import FPS, HEIGHT, MOG2_RUN, WIDTH, assert_masks, masks_of, read_video, scene, shares, write_clip

pytestmark = pytest.mark.slow

SELECTIONS = [
    (["--every", "3"], slice(0, None, 3)),
    (["--start", "0.4"], slice(10, None)),
    (["--end", "0.4"], slice(0, 10)),
    (["--start", "0:00.2", "--duration", "0.4"], slice(5, 15)),
    (["--start", "0.24", "--end", "0:0:1", "--every", "4"], slice(8, 25, 4)),
]


@pytest.mark.parametrize(
    ("options", "chosen"), SELECTIONS, ids=lambda value: " ".join(value) if value is list else None
)
def test_a_part_of_the_frames_with_the_times_of_the_source(bgsub, clip, images, options, chosen):
    assert bgsub(*MOG2_RUN, clip, "--mask", "m.mkv", *options).code == 0
    times = [index / FPS for index in range(len(images))[chosen]]
    assert_masks("m.mkv", masks_of(images[chosen]), times)


@pytest.mark.parametrize("scale", ["0.5", "32"])
def test_scale(bgsub, clip, images, scale):
    bgsub(*MOG2_RUN, clip, "--mask", "m.mkv", "--scale", scale)
    half = [cv2.resize(image, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA) for image in images]
    assert_masks("m.mkv", masks_of(half))


def test_fps_replaces_the_times(bgsub, clip, images):
    bgsub(*MOG2_RUN, clip, "--mask", "m.mkv", "--fps", "10", "--end", "2")
    assert_masks("m.mkv", masks_of(images[:20]), [index / 10 for index in range(20)])


@pytest.mark.parametrize("start", [0, 5])
def test_warm_up_is_learned_and_not_written(bgsub, clip, images, start):
    outcome = bgsub(*MOG2_RUN, clip, "--mask", "m.mkv", "--stats", "s.csv", "--start", start / FPS, "--warm-up", "0.4")
    whole = masks_of(images[start:])
    first = start + 10
    assert_masks("m.mkv", whole[10:], [index / FPS for index in range(first, len(images))])
    with Path("s.csv").open() as file:
        assert [int(line.split(",")[0]) for line in list(file)[1:]] == list(range(first, len(images)))
    assert "\n  10 frames only learned\n" in outcome.out
    assert f", {np.mean(shares(whole[10:])):.1%} of the picture moving on average" in outcome.out  # of what was written


def test_two_passes_know_the_background_from_the_first_frame_on(bgsub):
    images = scene(250, leaves=6)
    write_clip("long.mkv", images)
    bgsub(*MOG2_RUN, "long.mkv", "--mask", "m.mkv", "--two-pass", "--start", "0.2")
    model = MOG2()
    masks_of(images[5:], model=model)
    assert_masks("m.mkv", masks_of(images[5:], model=model), [index / FPS for index in range(5, len(images))])
    square = read_video("m.mkv")[1][0][8:20, 7:17]
    assert (square == 255).mean() > 0.9
    assert not (masks_of(images[5:6])[0] == 255).any()  # in one pass nothing stands out of the first frame


def test_a_pipe_cannot_be_read_twice(clip, workplace):
    outcome = from_pipe(clip, "--two-pass", "--mask", "m.mkv")
    assert outcome.returncode == 1
    assert outcome.stderr == "Error: stdin cannot be read twice: leave out --two-pass, or use --warm-up\n"
    assert not list(workplace.iterdir())


def test_standard_input(clip, images):
    outcome = from_pipe(clip)
    said = [
        line for line in outcome.stderr.splitlines() if not line.startswith(("compiling ", "preparing "))
    ]  # where caches are cold
    assert (outcome.returncode, said) == (0, [])
    assert outcome.stdout.endswith("\n  wrote stdin.mask.mkv\n  wrote stdin.overlay.mp4\n")
    assert_masks("stdin.mask.mkv", masks_of(images))


def from_pipe(path, *options):
    """Run `cat path | bgsub run -`."""
    with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as cat:
        return subprocess.run(
            [sys.executable, "-m", "bgsub", *MOG2_RUN, "-", *options],
            stdin=cat.stdout,
            capture_output=True,
            text=True,
            timeout=60,
        )


@pytest.fixture
def shots(images, workplace):
    """A CDnet sequence: shots/input/in000010.png and on."""
    folder = workplace / "shots" / "input"
    folder.mkdir(parents=True)
    for number, image in enumerate(images[:12], 10):
        cv2.imwrite(str(folder / f"in{number:06d}.png"), image)
    return folder


@pytest.mark.parametrize("source", ["shots", "shots/input", "shots/input/in%06d.png", "shots/input/*.png"])
def test_images_give_masks_of_the_same_numbers(bgsub, shots, images, workplace, source):
    assert bgsub(*MOG2_RUN, source, "--mask", "masks/", "--every", "2").code == 0
    written = sorted((workplace / "masks").iterdir())
    assert [path.name for path in written] == [f"bin{number:06d}.png" for number in range(10, 22, 2)]
    for path, expected in zip(written, masks_of(images[:12:2]), strict=True):
        assert np.array_equal(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), expected)


def test_images_have_the_rate_that_is_told(bgsub, shots, images):
    outcome = bgsub(*MOG2_RUN, "shots", "--fps", "5")
    assert outcome.out.endswith("  wrote shots.mask.mkv\n  wrote shots.overlay.mp4\n")
    assert_masks("shots.mask.mkv", masks_of(images[:12]), [index / 5 for index in range(12)])


POLYGONS = ([(10, 4), (40, 4), (40, 30), (10, 30)], [(30, 20), (60, 20), (60, 46)])


def test_a_region_of_polygons(bgsub, clip, images):
    texts = [" ".join(f"{x},{y}" for x, y in polygon) for polygon in POLYGONS]
    assert bgsub(*MOG2_RUN, clip, "--mask", "one.mkv", "--region", texts[0]).code == 0
    assert_masks("one.mkv", masks_of(images, region=POLYGONS[:1]))
    assert bgsub(*MOG2_RUN, clip, "--mask", "two.mkv", "--region", texts[0], "--region", texts[1]).code == 0
    assert_masks("two.mkv", masks_of(images, region=POLYGONS))
    found = np.array(read_video("one.mkv")[1])
    assert not found[:, :, :10].any() and not found[:, 31:].any()
    assert (found[:, 4:31, 10:41] == 255).any()


def test_a_region_from_a_mask_image(bgsub, clip, images):
    region = np.zeros((HEIGHT, WIDTH), np.uint8)
    region[:14, 8:50] = 255
    cv2.imwrite("region.png", region)
    assert bgsub(*MOG2_RUN, clip, "--mask", "m.mkv", "--region", "region.png").code == 0
    expected = masks_of(images, region=region)
    assert not np.array_equal(expected, masks_of(images))
    assert_masks("m.mkv", expected)


def test_a_lossy_clip_of_another_container(bgsub, images):
    write_clip("clip.mp4", images, codec="libx264", pix_fmt="yuv420p")
    decoded = read_video("clip.mp4", "bgr24")[1]
    assert bgsub(*MOG2_RUN, "clip.mp4").code == 0
    assert_masks("clip.mask.mkv", masks_of(decoded))


@pytest.mark.parametrize("scale", ["0.5", "32"])
@pytest.mark.parametrize("kind", ["rectangle", "polygon", "mask", "scaled mask"])
def test_a_region_is_in_the_pixels_of_the_source_whatever_the_scale(bgsub, clip, images, kind, scale):
    rows, columns = slice(4, 24), slice(0, 40)  # the square moves in it, and out of it
    source = np.zeros((48, 64), np.uint8)
    source[rows, columns] = 255
    small = source[::2, ::2]
    cv2.imwrite("region.png", source if kind == "mask" else small)
    where = {"rectangle": "0,4,40,20", "polygon": "0,4 39,4 39,23 0,23"}.get(kind, "region.png")
    assert bgsub(*MOG2_RUN, clip, "--scale", scale, "--region", where, "--mask", "m.mkv").code == 0
    halves = [cv2.resize(image, (32, 24), interpolation=cv2.INTER_AREA) for image in images]
    expected = masks_of(halves, region=small)
    assert any((mask[2:12, :20] == 255).any() for mask in expected)
    assert_masks("m.mkv", expected)


def test_a_job_scales_its_region_too(clip, images, workplace):
    region = [[(0, 4), (39, 4), (39, 23), (0, 23)]]
    execute(
        Job(
            clip,
            excerpt=Excerpt(scale=0.5),
            model=ModelChoice("mog2", region=region),
            outputs=Outputs(mask="m.mkv", save_model="m.bgsub"),
        )
    )
    found = np.array(read_video("m.mkv")[1])
    assert not found[:, 12:].any() and not found[:, :, 21:].any() and (found[:, :12, :20] == 255).any()
    # The model saved keeps the region that it has, and goes on with frames of that size.
    execute(Job(clip, excerpt=Excerpt(scale=0.5), model=ModelChoice(load="m.bgsub"), outputs=Outputs(mask="n.mkv")))
    assert not np.array(read_video("n.mkv")[1])[:, 12:].any()
