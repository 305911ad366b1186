"""The report of an evaluation: a page with figures, curves and pictures of what went wrong."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from pathlib import Path

import cv2
import numpy as np

from bgsub.errors import OutputError
from bgsub.files import atomic_write
from bgsub.masks import FOREGROUND
from bgsub.plots.f_measure import f_over_time
from bgsub.plots.figures import colours
from bgsub.plots.mask_errors import LEGEND, error_picture
from bgsub.plots.page import cell, page, table
from bgsub.plots.scored import METRICS, MethodScores, Metrics, Sample, SequenceScores

METRIC_HEADINGS = ("recall", "specificity", "FPR", "FNR", "PWC", "precision", "F")
_HIGHER_IS_BETTER = (True, True, False, False, False, True, True)
_DIGITS = (4, 4, 4, 4, 2, 4, 4)
_PICTURES = "pictures"
_OURS = re.compile(r"s\d+-(\d+-(frame\.jpg|truth\.png|mask\.png|errors\d+\.png)|time\.svg)")


class Report:
    """Writes ``index.html`` and its pictures into a folder, sequence by sequence.

    Parameters
    ----------
    folder : Path
        Made if need be; pictures of an earlier report in it are removed.
    title : str
        Heading of the page.
    labels : sequence of str
        Of the methods, in the order of their scores.
    made_by : str
        Program and version, as the page names them.
    settings : mapping of str to mapping of str to object, optional
        By a method's label the parameters that it ran with.

    Raises
    ------
    OutputError
        When the folder cannot be written to.
    """

    def __init__(
        self,
        folder: Path,
        title: str,
        labels: Sequence[str],
        *,
        made_by: str = "bgsub",
        settings: Mapping[str, Mapping[str, object]] | None = None,
    ) -> None:
        self._folder = folder
        self._title = title
        self._labels = list(labels)
        self._made_by = made_by
        self._settings = settings or {}
        self._sections: list[str] = []
        try:
            (folder / _PICTURES).mkdir(parents=True, exist_ok=True)
            for file in (folder / _PICTURES).iterdir():
                if _OURS.fullmatch(file.name):
                    file.unlink()
        except OSError as error:
            raise OutputError(f"cannot write the report to {folder}: {error.strerror}; choose another") from error

    def add(self, result: SequenceScores) -> None:
        """Write the pictures of a sequence and keep its section of the page; frames are not held any longer."""
        n = len(self._sections) + 1
        first = result.scores[0]
        scores = dict(zip(self._labels, result.scores, strict=True))
        curve = self._write(f"s{n}-time.svg", f_over_time(scores, [sample.number for sample in result.samples]))
        facts = f"{first.n_frames} frames, {len(first.counts)} of them count"
        if result.samples:
            height, width = result.samples[0].truth.shape
            facts += f"; {width}×{height} pixels"
        self._sections.append(
            f'<section>\n<h2 id="s{n}"><span class="category">{escape(first.category)} /</span> '
            f"{escape(first.name)}</h2>\n"
            f'<p class="soft">{facts}</p>\n'
            f"{self._metrics_table([(score.metrics, score.milliseconds) for score in result.scores])}\n"
            f'<img class="plot" src="{curve}" alt="F over time" loading="lazy">\n'
            f"{self._strip(n, result.samples)}\n</section>"
        )

    def finish(self, results: Sequence[MethodScores]) -> Path:
        """Write the page and return its path.

        Parameters
        ----------
        results : sequence of MethodScores
            In the order of the labels; their scores in the order in which sequences were added.
        """
        n_frames = sum(len(score.counts) for score in results[0].scores)
        n_sequences, n_categories = len(results[0].scores), len(results[0].categories)
        extent = f"{_number_of(n_sequences, 'sequence')} in {_number_of(n_categories, 'category')}"
        body = [
            f"<h1>{escape(self._title)}</h1>",
            f'<p class="soft">{extent}, {n_frames} frames scored by the protocol of changedetection.net. Foreground is '
            "the mask value 255 alone; shadows are background.</p>",
            f'<p class="soft">{self._made()}</p>',
            self._parameters(),
            '<div class="pair"><div>',
            "<h3>Overall: means over categories of means over their sequences</h3>",
            self._metrics_table([(r.overall, r.milliseconds) for r in results]),
            "</div><div>",
            "<h3>F by sequence</h3>",
            self._f_table(results),
            "</div></div>",
            "<p>In the strips below every pixel has the colour of what is right or wrong about it. The line of a curve "
            "is the F of all pixels in a window that moves along; grey lines mark the frames shown.</p>",
            _legend(),
            *self._sections,
        ]
        path = self._folder / "index.html"
        with atomic_write(path) as file:
            file.write(page(self._title, "\n".join(body)).encode())
        return path

    def _made(self) -> str:
        """Return when the page was made, and by what."""
        return f"Made on {datetime.now().astimezone():%Y-%m-%d at %H:%M %Z} by {escape(self._made_by)}."

    def _parameters(self) -> str:
        """Return the methods' parameters, folded."""
        if not self._settings:
            return ""
        rows = []
        for i, label in enumerate(self._labels):
            settings = self._settings.get(label, {})
            text = ", ".join(f"{name} {_setting(value)}" for name, value in settings.items()) or "its own defaults"
            rows.append(f"<dt>{self._dot(i)}{escape(label)}</dt><dd>{escape(text)}</dd>")
        return f"<details><summary>Parameters</summary><dl>{''.join(rows)}</dl></details>"

    def _dot(self, i: int) -> str:
        red, green, blue = (round(255 * value) for value in colours(len(self._labels))[i])
        return f'<span class="dot" style="background: rgb({red} {green} {blue})"></span>'

    def _metrics_table(self, rows: Sequence[tuple[Metrics, float | None]]) -> str:
        """Return a table with a row a method; the best of several stands out."""
        columns = list(zip(*(_values(metrics) for metrics, _ in rows), strict=True))
        best = [_best(column, higher) for column, higher in zip(columns, _HIGHER_IS_BETTER, strict=True)]
        body = []
        for i, (metrics, milliseconds) in enumerate(rows):
            cells = [cell(self._dot(i) + escape(self._labels[i]))]
            for value, top, digits in zip(_values(metrics), best, _DIGITS, strict=True):
                cells.append(cell(_number(value, digits), "best" if len(rows) > 1 and value == top else ""))
            cells += [cell("–"), cell("–")]
            if milliseconds:
                cells[-2:] = [cell(f"{milliseconds:.2f}"), cell(f"{1000 / milliseconds:.0f}")]
            body.append((cells, ""))
        return table(["method", *METRIC_HEADINGS, "ms a frame", "frames/s"], body)

    def _f_table(self, results: Sequence[MethodScores]) -> str:
        """Return the table of F: a row a sequence, a column a method; the darker, the better."""
        rows = []
        for i, first in enumerate(results[0].scores):
            link = f'<a href="#s{i + 1}">{escape(first.category)} / {escape(first.name)}</a>'
            rows.append(([cell(link), *_f_cells([r.scores[i].metrics.f_measure for r in results])], ""))
        for title, values in (
            ("mean over sequences", [r.sequence_mean.f_measure for r in results]),
            ("overall (mean over categories)", [r.overall.f_measure for r in results]),
        ):
            rows.append(([cell(title), *_f_cells(values)], "mean"))
        return table(["sequence", *(self._dot(i) + escape(r.label) for i, r in enumerate(results))], rows)

    def _strip(self, n: int, samples: Sequence[Sample]) -> str:
        """Write the pictures of the samples; return them as rows: frame, truth, the mask of one method, errors."""
        if not samples:
            return ""
        rows: dict[str, list[str]] = {"frame": [], "truth": []}
        for sample in samples:
            name = f"s{n}-{sample.number:06d}"
            rows["frame"].append(self._picture(f"{name}-frame.jpg", sample.image))
            rows["truth"].append(self._picture(f"{name}-truth.png", sample.truth))
            if len(self._labels) == 1:
                mask = sample.masks[0].astype(np.uint8) * FOREGROUND
                rows.setdefault("mask", []).append(self._picture(f"{name}-mask.png", mask))
            for i, label in enumerate(self._labels):
                title = label if len(self._labels) > 1 else "errors"
                errors = self._picture(f"{name}-errors{i}.png", error_picture(sample.errors(i)))
                rows.setdefault(title, []).append(errors)
        heads = "".join(
            f'<div class="head">{sample.number}{f" <b>{sample.remark}</b>" if sample.remark else ""}</div>'
            for sample in samples
        )
        grid = "\n".join(
            f'<div class="row">{escape(title)}</div>{"".join(pictures)}' for title, pictures in rows.items()
        )
        columns = f"grid-template-columns: 7.5rem repeat({len(samples)}, minmax(0, 1fr))"
        return f'<div class="strip" style="{columns}">\n<div></div>{heads}\n{grid}\n</div>'

    def _picture(self, name: str, image: np.ndarray) -> str:
        """Write a picture, and return the HTML that shows it and opens it when it is clicked."""
        image = image if image.dtype == np.uint8 else cv2.convertScaleAbs(image, alpha=1 / 257)
        _, data = cv2.imencode(name[-4:], image, [cv2.IMWRITE_JPEG_QUALITY, 88] if name.endswith(".jpg") else [])
        path = self._write(name, data.tobytes())
        height, width = image.shape[:2]
        return f'<a href="{path}"><img src="{path}" width="{width}" height="{height}" alt="" loading="lazy"></a>'

    def _write(self, name: str, data: bytes) -> str:
        """Write a file among the pictures, and return its address."""
        with atomic_write(self._folder / _PICTURES / name) as file:
            file.write(data)
        return f"{_PICTURES}/{name}"


def _f_cells(values: Sequence[float]) -> list[str]:
    best = _best(values, True)
    cells = []
    for value in values:
        shade = "" if math.isnan(value) else f"background: hsl(205 80% {97 - round(24 * value)}%)"
        cells.append(cell(_number(value, 4), "best" if len(values) > 1 and value == best else "", shade))
    return cells


def _legend() -> str:
    entries = "".join(
        f'<span><i style="background: {colour}"></i>{escape(name)}</span>' for name, colour in LEGEND.items()
    )
    return f'<div class="legend">{entries}</div>'


def _setting(value: object) -> str:
    """Return a parameter's value as it can be typed."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _values(metrics: Metrics) -> list[float]:
    return [getattr(metrics, name) for name in METRICS]


def _best(values: Sequence[float], higher: bool) -> float:
    defined = [value for value in values if not math.isnan(value)]
    return (max if higher else min)(defined, default=math.nan)


def _number(value: float, digits: int) -> str:
    return "–" if math.isnan(value) else f"{value:.{digits}f}"


def _number_of(count: int, word: str) -> str:
    plural = f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
    return f"{count} {word if count == 1 else plural}"
