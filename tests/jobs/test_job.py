"""A job is a value: it can be compared, changed, pickled and written as JSON; it refuses what could only fail later."""

import json
import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from bgsub.background.cleanup import Cleanup
from bgsub.errors import ParameterError
from bgsub.jobs import Excerpt, Job, ModelChoice, Outputs

FULL = Job(
    "street.mp4",
    excerpt=Excerpt(start=1.5, duration=20, every=2, scale=0.5, fps=12.5),
    model=ModelChoice(
        "mog2",
        {"history": 300, "detect_shadows": False, "precision": "compact", "value_range": (0, 4095)},
        region=[[(0, 0), (40, 0), (40, 30)], [(1, 2), (3, 4), (5.5, 6)]],
        threads=2,
    ),
    cleanup=Cleanup(open=3, min_area=20, shadows=False),
    outputs=Outputs("m.mkv", "h264", overlay="o.mp4", foreground="f/", background="b.png", stats="-", overwrite=True),
    learning_rate=0.01,
    warm_up=2,
    two_pass=True,
)
RESUMED = Job(0, model=ModelChoice(load="door.bgsub", parameters={"threshold": 5.0}), learning_rate=0)


@pytest.mark.parametrize("job", [Job("a.mp4"), FULL, RESUMED], ids=["least", "full", "resumed"])
def test_a_job_goes_through_pickle_and_json(job):
    assert pickle.loads(pickle.dumps(job)) == job
    assert Job.from_dict(job.as_dict()) == job
    assert Job.from_dict(json.loads(json.dumps(job.as_dict()))) == job


def test_what_is_left_out_has_its_default():
    assert Job.from_dict({"source": "a.mp4", "outputs": {"mask": "m.mkv"}}) == Job("a.mp4", outputs=Outputs("m.mkv"))


def test_a_job_is_changed_by_making_another():
    other = replace(FULL, source="other.mp4", outputs=replace(FULL.outputs, mask="n.mkv"))
    assert (other.source, other.outputs.mask, other.outputs.overlay) == ("other.mp4", "n.mkv", "o.mp4")
    assert FULL.outputs.mask == "m.mkv"
    with pytest.raises(AttributeError):
        FULL.source = "x"


def test_a_job_keeps_its_parameters_when_the_caller_s_change():
    parameters = {"history": 5}
    job = Job("a.mp4", model=ModelChoice("mog2", parameters))
    parameters["history"] = 0
    assert job.model.parameters == {"history": 5}


def test_paths_become_texts():
    job = Job(Path("a.mp4"), model=ModelChoice(load=Path("m.bgsub")), outputs=Outputs(mask=Path("m.mkv")))
    assert (job.source, job.model.load, job.outputs.mask) == ("a.mp4", "m.bgsub", "m.mkv")


BAD = [
    ({}, "the job: there is no source; add it"),
    ([], "the job: [] is no mapping of names to values; give one"),
    ({"source": 2.5}, "source is 2.5: give a text or a whole number"),
    ({"source": None}, "source is None: give a text or a whole number"),
    ({"source": "a", "mask": "m.mkv"}, "the job: nothing is called 'mask'; there are source, excerpt, model, cleanup,"),
    ({"source": "a", "outputs": {"maks": "m.mkv"}}, "the job's outputs: nothing is called 'maks'; there are mask,"),
    ({"source": "a", "outputs": None}, "the job's outputs: None is no mapping of names to values"),
    ({"source": "a", "outputs": {"mask": 7}}, "mask is 7: give a text or nothing"),
    ({"source": "a", "outputs": {"mask_codec": "x265"}}, "mask_codec is 'x265': give 'ffv1' or 'h264'"),
    ({"source": "a", "outputs": {"overwrite": 1}}, "overwrite is 1: give true or false"),
    ({"source": "a", "excerpt": {"every": "2"}}, "every is '2': give a whole number"),
    ({"source": "a", "excerpt": {"every": 0}}, "every=0 is out of bounds; give a whole number from 1"),
    ({"source": "a", "excerpt": {"end": 1, "duration": 1}}, "end=1 and duration=1 exclude each other"),
    ({"source": "a", "excerpt": {"start": 5, "end": 2}}, "end=2 is out of bounds; give seconds above start=5"),
    ({"source": "a", "excerpt": {"scale": True}}, "scale is True: give a number or nothing"),
    ({"source": "a", "model": {"method": "vibe"}}, "there is no method 'vibe': choose adaptive, mog2"),
    ({"source": "a", "model": {"parameters": {"threshold": 0}}}, "threshold is 0: give a number above 0, up to 50"),
    ({"source": "a", "model": {"parameters": {"precision": "exact"}}}, "unknown parameter 'precision'"),
    ({"source": "a", "model": {"parameters": {"value_range": [5, 1]}}}, r"value_range is [5, 1]: give (low, high)"),
    ({"source": "a", "model": {"parameters": {"value_range": "1,5"}}}, "value_range is '1,5': give (low, high)"),
    ({"source": "a", "model": {"parameters": 3}}, "parameters is 3: give values by name"),
    (
        {"source": "a", "model": {"method": "mog2", "parameters": {"var_min": 80}}},
        "var_min is 80, above var_max 75",
    ),
    ({"source": "a", "model": {"region": [[1, 2], [3, 4]]}}, "region is no list of polygons: give each as a list of"),
    ({"source": "a", "model": {"region": 3}}, "region is 3: give a text or a list or nothing"),
    (
        {"source": "a", "model": {"load": "m", "region": "roi.png"}},
        "region is fixed in a saved model: leave it out",
    ),
    (
        {"source": "a", "model": {"load": "m", "parameters": {"n_components": 3}}},
        "n_components is fixed in a saved model: leave it out",
    ),
    ({"source": "a", "model": {"load": "m", "method": "vibe"}}, "there is no method 'vibe'"),
    ({"source": "a", "cleanup": {"open": 256}}, "open=256: give a whole number of pixels, 0 to 255"),
    ({"source": "a", "cleanup": {"fill": "yes"}}, "fill is 'yes': give true or false"),
    ({"source": "a", "warm_up": -1}, "warm_up=-1 is out of bounds; give seconds from 0"),
    ({"source": "a", "warm_up": float("nan")}, "warm_up=nan is out of bounds"),
    ({"source": "a", "learning_rate": "fast"}, "learning_rate is 'fast': give a number or nothing"),
    ({"source": "a", "learning_rate": 0}, "learning_rate=0 freezes a model that has learned nothing"),
]


@pytest.mark.parametrize(("values", "message"), BAD, ids=lambda value: str(value)[:40])
def test_bad_values_are_refused_in_one_line(values, message):
    with pytest.raises(ParameterError) as caught:
        Job.from_dict(values)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


def test_a_job_made_in_python_is_checked_as_one_from_json():
    for make in (
        lambda: Job("a", warm_up="1"),
        lambda: Excerpt(every=2.5),
        lambda: Outputs(mask_codec="x265"),
        lambda: ModelChoice(parameters={"history": 0}),
    ):
        with pytest.raises(ParameterError, match="give"):
            make()


def test_several_sources_are_one_job():
    job = Job(["a.ts", Path("b.ts")])
    assert job.source == ("a.ts", "b.ts")
    assert job.shown == "a.ts and 1 more"
    assert Job.from_dict(json.loads(json.dumps(job.as_dict()))) == job
    assert Job("a.ts").sources == ("a.ts",)
    for wrong in ([], [1.5], [True], [None]):
        with pytest.raises(ParameterError, match="source is no list of sources"):
            Job(wrong)
