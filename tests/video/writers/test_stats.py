"""The table of foreground shares."""

import csv
import json

import numpy as np
import pytest

from bgsub.errors import OutputError
from bgsub.video.writers.stats import stats_sink
from tests.video.writers.sink_clips import clip_frame, clip_mask


def mask_of(share, shadow=0.0):
    mask = np.zeros(1000, np.uint8)
    mask[: round(share * 1000)] = 255
    mask[1000 - round(shadow * 1000) :] = 127
    return mask.reshape(20, 50)


def write(sink):
    with sink:
        sink.write(clip_frame(3, 0.12), mask_of(0.25, shadow=0.5))
        sink.write(clip_frame(5, 1 / 3), mask_of(0))


def test_csv(tmp_path):
    write(stats_sink(tmp_path / "s.csv"))
    with (tmp_path / "s.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(int(row["index"]), float(row["time"]), float(row["foreground"])) for row in rows] == [
        (3, 0.12, 0.25),  # shadow does not count
        (5, 0.333333, 0.0),
    ]


@pytest.mark.parametrize("suffix", ["jsonl", "ndjson"])
def test_json_lines(tmp_path, suffix):
    write(stats_sink(tmp_path / f"s.{suffix}"))
    rows = [json.loads(line) for line in (tmp_path / f"s.{suffix}").read_text().splitlines()]
    assert rows == [
        {"index": 3, "time": 0.12, "foreground": 0.25},
        {"index": 5, "time": 0.333333, "foreground": 0.0},
    ]


def test_lines_are_there_as_soon_as_they_are_written(tmp_path):
    with stats_sink(tmp_path / "s.csv") as sink:
        assert not (tmp_path / "s.csv").exists()
        for count in range(1, 4):
            sink.write(clip_frame(count), clip_mask(count))
            assert (tmp_path / "s.csv").read_text().count("\n") == 1 + count


def test_standard_output_stays_open(capsys):
    write(stats_sink("-"))
    print("after")
    assert capsys.readouterr().out.splitlines() == [
        "index,time,foreground",
        "3,0.120000,0.250000",
        "5,0.333333,0.000000",
        "after",
    ]


def test_paths_are_checked_at_once(tmp_path):
    with pytest.raises(OutputError, match=r"not one of \.csv, \.jsonl, \.ndjson"):
        stats_sink(tmp_path / "s.txt")
    (tmp_path / "s.csv").write_text("old\n" * 100)
    with pytest.raises(OutputError, match="exists; pass --overwrite"):
        stats_sink(tmp_path / "s.csv")
    write(stats_sink(tmp_path / "s.csv", overwrite=True))
    assert len((tmp_path / "s.csv").read_text().splitlines()) == 3
