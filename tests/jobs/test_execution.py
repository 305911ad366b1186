"""Jobs are done: the same files in any process, a summary that is true however a run ends, and sinks beside it."""

import contextlib
import json
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from bgsub.background.cleanup import Cleanup, clean
from bgsub.background.mog2.model import MOG2
from bgsub.errors import ModelFileError, OutputError, ParameterError, SourceError
from bgsub.jobs import Excerpt, Job, ModelChoice, Outputs, execute
from bgsub.video.sink import Sink
from tests.cli.clips import FPS, assert_masks, files_in, masks_of, read_video, shares

pytestmark = pytest.mark.slow

MOG2_MODEL = ModelChoice("mog2")


def all_outputs(folder=""):
    names = {"mask": "m.mkv", "overlay": "o.mp4", "stats": "s.csv", "background": "b.png", "save_model": "m.bgsub"}
    return Outputs(**{name: f"{folder}{file}" for name, file in names.items()})


def test_a_job_writes_what_the_model_gives(clip, images):
    model = MOG2(history=100)
    raw = masks_of(images, model=model)
    summary = execute(
        Job(
            clip,
            model=ModelChoice("mog2", {"history": 100}),
            cleanup=Cleanup(open=3, min_area=5),
            outputs=all_outputs(),
        )
    )
    assert (summary.result, summary.error) == ("done", None)
    assert summary.outputs == ("m.mkv", "o.mp4", "s.csv", "b.png", "m.bgsub")
    cleaned = [clean(mask, open=3, min_area=5) for mask in raw]
    assert_masks("m.mkv", cleaned)
    assert summary.tally.written == len(images)
    assert summary.tally.mean_foreground == pytest.approx(np.mean(shares(cleaned)))
    assert np.array_equal(cv2.imread("b.png"), model.background_image())
    assert MOG2.load("m.bgsub").parameters == model.parameters
    assert summary.as_dict()["frames_written"] == json.loads(json.dumps(summary.as_dict()))["frames_written"] == 30


@pytest.mark.parametrize("method", ["adaptive", "mog2"])
def test_another_process_makes_the_same_files(clip, workplace, method):
    (workplace / "here").mkdir()
    (workplace / "there").mkdir()
    region = [[(2, 2), (60, 2), (60, 44), (2, 44)]]
    here, there = (
        Job(
            clip,
            excerpt=Excerpt(start=0.2, every=2),
            model=ModelChoice(method, {"history": 50}, region=region),
            outputs=all_outputs(f"{folder}/"),
        )
        for folder in ("here", "there")
    )
    summary = execute(here)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        sent = Job.from_dict(json.loads(json.dumps(there.as_dict())))
        other = pool.submit(execute, sent).result()
    assert other.outputs == tuple(name.replace("here", "there") for name in summary.outputs)
    assert len(other.outputs) == 5
    assert (other.result, other.tally.read) == (summary.result, summary.tally.read) == ("done", 12)
    for name in ("s.csv", "b.png", "m.bgsub"):
        assert (workplace / "here" / name).read_bytes() == (workplace / "there" / name).read_bytes(), name
    times, masks = read_video("here/m.mkv")
    assert np.any(masks)
    assert_masks("there/m.mkv", masks, times)


def test_a_model_goes_on_where_another_job_left_it(clip, images):
    half = 13 / FPS
    execute(Job(clip, Excerpt(end=half), MOG2_MODEL, outputs=Outputs("a.mkv", save_model="door.bgsub")))
    execute(Job(clip, Excerpt(start=half), ModelChoice(load="door.bgsub"), outputs=Outputs("b.mkv")))
    whole = masks_of(images)
    assert_masks("a.mkv", whole[:13])
    assert_masks("b.mkv", whole[13:], [index / FPS for index in range(13, 30)])


def test_a_saved_model_takes_the_job_s_parameters_and_no_other_method(clip, images):
    execute(Job(clip, Excerpt(end=0.4), MOG2_MODEL, outputs=Outputs(save_model="m.bgsub")))
    changed = ModelChoice(parameters={"var_threshold": 60}, load="m.bgsub")
    execute(Job(clip, Excerpt(start=0.4), changed, outputs=Outputs("b.mkv")))
    model = MOG2()
    masks_of(images[:10], model=model)
    model.set_parameters(var_threshold=60)
    assert_masks("b.mkv", masks_of(images[10:], model=model), [index / FPS for index in range(10, 30)])
    with pytest.raises(ParameterError, match=r"^m.bgsub holds a model of method mog2, not adaptive: leave the method"):
        execute(Job(clip, model=ModelChoice("adaptive", load="m.bgsub")))
    with pytest.raises(ParameterError, match="unknown parameter 'smoothing'"):
        execute(Job(clip, model=ModelChoice(parameters={"smoothing": 1}, load="m.bgsub")))
    with pytest.raises(ModelFileError, match="no such file"):
        execute(Job(clip, model=ModelChoice(load="missing.bgsub")))
    with pytest.raises(ParameterError, match=r"^m\.bgsub has learned frames of 64x48, .*clip.mkv has 32x24"):
        execute(Job(clip, Excerpt(scale=0.5), ModelChoice(load="m.bgsub")))


def test_a_region_may_be_an_image(clip, images):
    region = np.zeros((48, 64), np.uint8)
    region[:, 20:50] = 255
    cv2.imwrite("region.png", region)
    execute(Job(clip, model=ModelChoice("mog2", region="region.png"), outputs=Outputs("m.mkv")))
    assert_masks("m.mkv", masks_of(images, region=region))
    with pytest.raises(SourceError, match=r"cannot read the mask missing\.png"):
        execute(Job(clip, model=ModelChoice(region="missing.png")))


def test_a_job_without_outputs_writes_masks_under_the_source_s_name(clip, images, workplace):
    assert execute(Job(clip, model=MOG2_MODEL)).outputs == ("clip.mask.mkv", "clip.overlay.mp4")
    assert_masks("clip.mask.mkv", masks_of(images))
    assert execute(Job(clip, model=MOG2_MODEL)).outputs == ("clip.mask-2.mkv", "clip.overlay-2.mp4")


@pytest.mark.parametrize(
    ("values", "message"),
    [({"color": "mauve"}, "'mauve' is no colour"), ({"quality": 0}, "quality=0 is out of bounds; give 1 .* to 100")],
)
def test_colours_and_qualities_that_are_none(values, message):
    with pytest.raises(ParameterError, match=message):
        Outputs(**values)


class Collector(Sink):
    """Keeps masks, and notes when it is closed."""

    def __init__(self, info, model, log):
        self.info, self.model, self.log, self.masks = info, model, log, []

    def write(self, frame, mask):
        self.masks.append(mask)

    def close(self):
        self.log.append("closed")


def test_sinks_beside_the_outputs(clip, images, workplace):
    log, made = [], []

    def maker(info, model):
        made.append(Collector(info, model, log))
        return made[0]

    summary = execute(Job(clip, model=MOG2_MODEL), sinks=[maker], on_end=lambda: log.append("ended"))
    assert np.array_equal(made[0].masks, masks_of(images))
    assert made[0].info.width == 64 and isinstance(made[0].model, MOG2)
    assert log == ["ended", "closed"]
    assert summary.outputs == ()
    assert files_in(workplace) == []


def test_stop_ends_a_job_as_the_end_of_the_source_does(clip, images):
    answers = iter([False] * 6 + [True])
    summary = execute(Job(clip, model=MOG2_MODEL, outputs=Outputs("m.mkv")), stop=lambda: next(answers))
    assert (summary.result, summary.error, summary.tally.read) == ("done", None, 7)
    assert_masks("m.mkv", masks_of(images[:7]))


def test_progress_is_told_stage_by_stage(clip):
    seen = []

    @contextlib.contextmanager
    def progress(stage, total):
        seen.append((stage, total))
        yield lambda tally: seen.append((tally.read, tally.written))
        seen.append(f"{stage} is over")

    execute(Job(clip, Excerpt(end=0.08), MOG2_MODEL, two_pass=True), progress=progress)
    assert seen == [
        *(("learning", 2), (1, 1), (2, 2), "learning is over"),
        *(("masking", 2), (1, 1), (2, 2), "masking is over"),
    ]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(143)], ids=repr)
def test_an_interrupted_job_is_finished_and_its_summary_tells_by_what(yard, images, error):
    yard(error)
    summary = execute(Job(0, model=MOG2_MODEL, outputs=all_outputs()))
    assert summary.result == "interrupted" and summary.error is error
    assert summary.outputs == ("m.mkv", "o.mp4", "s.csv", "b.png", "m.bgsub")
    model = MOG2()
    assert_masks("m.mkv", masks_of(images, model=model), [index / 10 for index in range(30)])
    assert np.array_equal(cv2.imread("b.png"), model.background_image())
    assert MOG2.load("m.bgsub").n_frames == 30


def test_a_reader_of_stdout_who_leaves_interrupts(yard, images):
    yard(BrokenPipeError())
    summary = execute(Job(0, model=MOG2_MODEL, outputs=Outputs("m.mkv", save_model="m.bgsub")))
    assert summary.result == "interrupted" and isinstance(summary.error, BrokenPipeError)
    assert summary.outputs == ("m.mkv", "m.bgsub")
    assert_masks("m.mkv", masks_of(images), [index / 10 for index in range(30)])


def test_a_source_that_breaks_leaves_the_frames_before_it(yard, images):
    yard(SourceError("camera 0 is gone, plug it in"))
    summary = execute(Job(0, model=MOG2_MODEL, outputs=Outputs("m.mkv", save_model="m.bgsub")))
    assert (summary.result, summary.tally.written) == ("broken off", 30)
    assert_masks("m.mkv", masks_of(images), [index / 10 for index in range(30)])
    assert MOG2.load("m.bgsub").n_frames == 30
    sent = pickle.loads(pickle.dumps(summary))
    assert isinstance(sent.error, SourceError) and str(sent.error) == "camera 0 is gone, plug it in"
    assert (sent.outputs, sent.tally) == (summary.outputs, summary.tally)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SourceError("it broke")], ids=repr)
def test_what_ends_a_job_before_its_first_frame_is_raised(yard, monkeypatch, workplace, error):
    yard(error)
    monkeypatch.setattr("tests.jobs.conftest.Scripted.__iter__", lambda self: (_ for _ in ()).throw(error))
    with pytest.raises(type(error)):
        execute(Job(0, model=MOG2_MODEL, outputs=Outputs("m.mkv", save_model="m.bgsub")))
    assert files_in(workplace) == []


def test_a_model_that_cannot_be_saved_leaves_a_summary(yard, monkeypatch, workplace):
    yard()

    def save(self, path):
        raise OutputError("no room")

    monkeypatch.setattr(MOG2, "save", save)
    summary = execute(Job(0, model=MOG2_MODEL, outputs=Outputs("m.mkv", save_model="m.bgsub")))
    assert (summary.result, str(summary.error), summary.outputs) == ("done", "no room", ("m.mkv",))


def test_an_existing_output_is_refused_and_kept(clip):
    Path("m.mkv").write_text("precious")
    with pytest.raises(OutputError, match=r"^m.mkv exists; pass --overwrite"):
        execute(Job(clip, outputs=Outputs("m.mkv")))
    assert Path("m.mkv").read_text() == "precious"


def test_the_learning_rate_and_the_warm_up(clip, images):
    job = Job(clip, model=MOG2_MODEL, outputs=Outputs("m.mkv"), learning_rate=0.05, warm_up=0.2)
    assert execute(job).tally.written == 25
    assert_masks("m.mkv", masks_of(images, learning_rate=0.05)[5:], [index / FPS for index in range(5, 30)])


def test_what_the_model_is_told_of_a_run(clip, monkeypatch):
    seen = []

    def maker(info, model):
        seen.append((model.threads, model.parameters["frame_rate"]))
        return Collector(info, model, [])

    monkeypatch.setattr("bgsub.jobs.execution.threads_beside_io", lambda n_pixels, processors: n_pixels // 1000)
    for threads in None, 2:
        execute(Job(clip, Excerpt(every=2, end=0.2), ModelChoice(threads=threads)), sinks=[maker])
    assert seen == [(64 * 48 // 1000, FPS / 2), (2, FPS / 2)]


def test_an_output_of_another_run_is_not_told_of(clip):
    Path("m.mkv").write_text("of yesterday")
    summary = execute(Job(clip, model=MOG2_MODEL, outputs=Outputs("m.mkv", overwrite=True), warm_up=99))
    assert summary.outputs == ()
    assert Path("m.mkv").read_text() == "of yesterday"


def test_two_outputs_of_one_name(clip):
    with pytest.raises(ParameterError, match="two outputs are named"):
        execute(Job(clip, outputs=Outputs("m.mkv", overlay="./m.mkv")))


def test_warm_up_longer_than_the_source(clip, workplace):
    summary = execute(Job(clip, model=MOG2_MODEL, warm_up=99))
    assert summary.result == "broken off" and "ended within --warm-up" in str(summary.error)
    assert (summary.outputs, files_in(workplace)) == ((), [])


@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.float32])
def test_pictures_of_deep_frames_show_the_range_in_use_or_the_one_that_is_given(workplace, dtype):
    """As an overlay, a cut-out and a background: 20 levels of noise about 20,000, and something 500 above them."""
    rng = np.random.default_rng(0)
    (workplace / "deep").mkdir()
    for number in range(30):
        image = 20_000 + rng.normal(0, 4, (48, 64)) + np.arange(64) * 5
        if number > 20:
            image[16:32, 20:40] += 500
        cv2.imwrite(f"deep/in{number:06d}.tif", image.astype(dtype))
    shown = {}
    for name, parameters in (("found", {}), ("given", {"value_range": [0, 100_000]})):
        outputs = Outputs(overlay=f"{name}.mkv", foreground=f"{name}.mp4", background=f"{name}.png", quality=100)
        assert execute(Job("deep", model=ModelChoice("mog2", parameters), outputs=outputs)).result == "done"
        pictures = read_video(f"{name}.mkv", "bgr24")[1]
        shown[name] = pictures[10].astype(int)
        assert len(pictures) == 30
        assert cv2.imread(f"{name}.png", cv2.IMREAD_UNCHANGED).dtype == np.uint8
    assert np.ptp(shown["found"][:, :, 1].mean(axis=0)) > 150
    np.testing.assert_allclose(shown["given"], 20_160 / 100_000 * 255, atol=6)
