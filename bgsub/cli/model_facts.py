"""What a model file is: a background model, an estimator's mixture, or the mixture of a table."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from bgsub.files import kind_of
from bgsub.notebook import counted

if TYPE_CHECKING:
    from bgsub.mixture.fitted import FittedMixture
    from bgsub.mixture.table_files import Outcome

_MOST_SHOWN = 10  # of columns and of weights, in a line
_KINDS = {
    "background model": "background model ({method}), for bgsub run --load",
    "gaussian-mixture": "Gaussian mixture, for bgsub.GaussianMixture.load and bgsub cluster predict",
    "mixture of a table": "Gaussian mixture of a table, for bgsub cluster predict and bgsub.TableModel.load",
}


def model_facts(path: str) -> dict[str, Any]:
    """Return what there is to say of a model file, as JSON has it.

    Raises
    ------
    ModelFileError
        When it is damaged, of a newer version, or of a kind that is not known.
    """
    from bgsub.background.methods import method_of_kind

    kind = kind_of(path)
    method = method_of_kind(kind)
    if method is not None:
        return _of_background(path, method.name, method.model_class().load(path))
    from bgsub.mixture import model_files

    return _of_estimator(path) if kind == model_files.KIND else _of_table(path)


def _of_background(path: str, method: str, model: Any) -> dict[str, Any]:
    height, width, *channels = model.shape or (None, None)
    return {
        "model": path,
        "kind": "background model",
        "method": method,
        "components": model.parameters["n_components"],
        "width": width,
        "height": height,
        "channels": (channels or [1])[0] if model.shape else None,
        "frames": model.n_frames,
    }


def _of_estimator(path: str) -> dict[str, Any]:
    from bgsub.mixture.model_files import KIND, read_mixture

    saved = read_mixture(path)
    columns = {"columns": saved.names or None, "n_columns": saved.mixture.n_features}
    return {"model": path, "kind": KIND, **_of_mixture(saved.mixture), **columns, **_of_outcome(saved.outcome)}


def _of_table(path: str) -> dict[str, Any]:
    from bgsub.clustering.model_file import KIND, read

    parts = read(path)
    features = parts.preparation.features
    columns = [*features.numbers, *features.categories]
    return {
        "model": path,
        "kind": KIND,
        **_of_mixture(parts.mixture),
        "columns": columns,
        "n_columns": len(columns),
        "log": list(features.logs),
        "encode": list(features.categories),
        "dates": list(features.dates),
        "scale": "scale" in parts.preparation.steps,
        "pca": parts.preparation.n_outputs if "pca" in parts.preparation.steps else None,
        **_of_outcome(parts.outcome),
    }


def _of_mixture(mixture: FittedMixture) -> dict[str, Any]:
    return {
        "components": mixture.n_components,
        "weights": mixture.weights.tolist(),
        "noise": None if mixture.noise is None else mixture.noise.weight,
        "cutoff": mixture.cutoff,
        "covariance_type": mixture.covariance_type,
    }


def _of_outcome(outcome: Outcome) -> dict[str, Any]:
    bound = outcome.lower_bound
    return {
        "converged": outcome.converged,
        "iterations": outcome.n_iter,
        "mean_log_likelihood": bound if math.isfinite(bound) else None,  # nothing else is JSON
    }


def lines_of(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the facts for people: a name and a text each."""
    kind = _KINDS[facts["kind"]].format(**facts)
    if facts["kind"] == "background model":
        return [("kind", kind), ("components", f"{facts['components']} a pixel"), ("learned", _learned(facts))]
    lines = [("kind", kind), ("components", _components(facts)), ("covariance", facts["covariance_type"])]
    if facts["cutoff"] is not None:
        lines.append(("trimmed", f"rows of a log-density below {facts['cutoff']:.4g}"))
    names = facts["columns"]
    lines.append(("columns", f"{facts['n_columns']} without names" if names is None else _listed(names)))
    prepared = [f"{step} of {_listed(facts[step])}" for step in ("log", "encode", "dates") if facts.get(step)]
    prepared += ["scale"] * bool(facts.get("scale"))
    if facts.get("pca"):
        prepared.append(f"{counted(facts['pca'], 'principal component')}")
    return [*lines, *([("prepared", ", ".join(prepared))] if prepared else []), ("fit", _fit(facts))]


def _learned(facts: dict[str, Any]) -> str:
    if facts["width"] is None:
        return "nothing yet"
    colours = {1: "grey", 3: "colour"}.get(facts["channels"], counted(facts["channels"], "channel"))
    return f"{counted(facts['frames'], 'frame')} of {facts['width']}x{facts['height']}, {colours}"


def _components(facts: dict[str, Any]) -> str:
    shares = _listed([f"{weight:.1%}" for weight in facts["weights"]])
    noise = "" if facts["noise"] is None else f", and {facts['noise']:.1%} noise"
    return f"{facts['components']}: {shares}{noise}"


def _fit(facts: dict[str, Any]) -> str:
    n_iter, bound = facts["iterations"], facts["mean_log_likelihood"]
    if not n_iter and bound is None:
        return "no iterations"
    ended = f"{'converged' if facts['converged'] else 'not converged'} after {counted(n_iter, 'iteration')}"
    return ended + ("" if bound is None else f", mean log-likelihood {bound:.5g}")


def _listed(names: list[str]) -> str:
    shown = [name if name.isprintable() else ascii(name) for name in names[:_MOST_SHOWN]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
