"""Tables of videos' features: what they hold, and how the work on one ends."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

from bgsub import open_source
from bgsub.errors import OutputError
from bgsub.features.collecting import EMBEDDING, FEATURES, FeatureCollector
from bgsub.features.videos import LISTED, look_through, pattern, tabulate
from bgsub.jobs import Excerpt
from bgsub.jobs.batch import attempt, execute_all
from bgsub.jobs.inputs import find_inputs
from bgsub.jobs.manifest import Manifest
from bgsub.jobs.naming import plan
from bgsub.pipeline import Tally
from tests.motion.recordings import record

PLAIN = [name for name in FEATURES if name not in EMBEDDING]


@pytest.fixture
def recordings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    record("rec/cam1/a.mkv", 30, [(10, 25)])
    record("rec/cam2/a.mkv", 20, seed=1)
    return find_inputs(["rec"], recursive=True).each


def all_of(inputs, job=None, **settings):
    return execute_all(inputs, job or pattern(Excerpt()), Path("out"), do=tabulate, listed=LISTED, **settings)


def test_each_video_has_a_table_of_what_a_collector_finds_in_it(recordings):
    results = all_of(recordings)
    assert [result.state for result in results] == ["done", "done"]
    assert [result.summary.outputs for result in results] == [
        ("out/cam1/a.features.parquet",),
        ("out/cam2/a.features.parquet",),
    ]
    table = pyarrow.parquet.read_table("out/cam1/a.features.parquet")
    assert table.column_names == ["video", "frame", "time", *PLAIN]
    assert set(table["video"].to_pylist()) == {"cam1/a"}
    with open_source("rec/cam1/a.mkv") as source, FeatureCollector() as collector:
        look_through(source, collector, Tally())
        features = collector.features()
    for name in ("frame", "time", *PLAIN):
        np.testing.assert_array_equal(table[name].to_numpy(), features.columns()[name], name)
    assert table["objects"].to_numpy()[12:20].max() == 1


def test_what_is_done_is_not_done_again_and_other_settings_are_refused(recordings):
    all_of(recordings)
    assert [result.state for result in all_of(recordings)] == ["skipped", "skipped"]
    record("rec/cam2/a.mkv", 25, seed=1)
    assert [result.state for result in all_of(recordings)] == ["skipped", "done"]
    with pytest.raises(OutputError, match="by other settings: pass --overwrite"):
        all_of(recordings, pattern(Excerpt(every=2)))
    assert [result.state for result in all_of(recordings, pattern(Excerpt(every=2), overwrite=True))] == ["done"] * 2


def test_one_that_is_stopped_leaves_no_table(recordings):
    asked = []
    (task, _) = plan(recordings, pattern(Excerpt()), Path("out"))
    result = attempt(task, stop=lambda: len(asked) > 5 or asked.append(0), do=tabulate)
    assert result.state == "interrupted"
    assert not list(Path("out").rglob("*.parquet"))


def test_one_that_breaks_off_has_a_table_of_what_was_read(recordings, monkeypatch):
    from bgsub.errors import SourceError
    from bgsub.features import videos

    class Broken(videos.LearnedBackwards):
        def __iter__(self):
            for frame in super().__iter__():
                if frame.index == 12:
                    raise SourceError("rec/cam1/a.mkv: damaged from here on")
                yield frame

    monkeypatch.setattr(videos, "LearnedBackwards", Broken)
    first, _ = all_of(recordings)
    assert (first.state, str(first.error)) == ("failed", "rec/cam1/a.mkv: damaged from here on")
    assert pyarrow.parquet.read_table("out/cam1/a.features.parquet").num_rows == 12
    with Manifest(Path("out"), LISTED) as manifest:
        (entry, _) = manifest
    assert (entry.state, entry.frames, entry.outputs) == ("failed", 12, ("cam1/a.features.parquet",))


def test_a_table_that_is_somebody_elses_is_kept(recordings):
    Path("out/cam1").mkdir(parents=True)
    Path("out/cam1/a.features.parquet").write_text("mine")
    first, second = all_of(recordings)
    assert (first.state, second.state) == ("failed", "done")
    assert str(first.error) == "out/cam1/a.features.parquet exists; pass --overwrite or choose another name"
    assert Path("out/cam1/a.features.parquet").read_text() == "mine"
