"""Slow, obvious references of the kernels: one pixel and one line of arithmetic at a time.

Nothing of bgsub is imported here. Every number is a float32, rounded after each operation in the order of
OpenCV's C++ loop, so that masks can be compared bit by bit: with OpenCV's to trust this file, with ours to
trust a kernel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

f32 = np.float32
FLT_EPSILON = np.finfo(np.float32).eps
Pixel = list[np.float32]  # one value a channel, BGR or grey


@dataclass
class Mode:
    """One Gaussian of one pixel: its share of the mixture, its variance (of every channel) and its mean."""

    weight: np.float32
    variance: np.float32
    mean: Pixel


class NaiveMOG2:
    """Zivkovic's mixture (Pattern Recognition Letters 27, 2006) exactly as OpenCV's MOG2 computes it.

    Parameters carry bgsub's names; OpenCV calls them nmixtures, history, varThreshold, backgroundRatio,
    varThresholdGen, varInit, varMin, varMax, complexityReductionThreshold, detectShadows, shadowValue and
    shadowThreshold.

    Attributes
    ----------
    modes : list of list of list of Mode
        ``modes[y][x]``: the pixel's Gaussians, strongest first (but see `_update`: not quite always).
    n_frames : int
        Frames applied since the model was last (re)started.
    """

    def __init__(
        self,
        *,
        n_components: int = 5,
        history: int = 500,
        var_threshold: float = 16,
        background_ratio: float = 0.9,
        var_threshold_gen: float = 9,
        var_init: float = 15,
        var_min: float = 4,
        var_max: float = 75,
        complexity_prior: float = 0.05,
        detect_shadows: bool = True,
        shadow_value: int = 127,
        shadow_threshold: float = 0.5,
    ) -> None:
        self.n_components = n_components
        self.history = history
        self.var_threshold = f32(var_threshold)
        self.background_ratio = f32(background_ratio)
        self.var_threshold_gen = f32(var_threshold_gen)
        self.var_init = f32(var_init)
        self.var_min = f32(var_min)
        self.var_max = f32(var_max)
        self.complexity_prior = f32(complexity_prior)
        self.detect_shadows = detect_shadows
        self.shadow_value = shadow_value
        self.shadow_threshold = f32(shadow_threshold)
        self.n_frames = 0
        self.modes: list[list[list[Mode]]] = []

    def apply(
        self,
        image: np.ndarray,
        learning_rate: float | None = None,
        known_foreground: np.ndarray | None = None,
    ) -> np.ndarray:
        """Update the model with a uint8 image, (H, W, 3) or (H, W), and return its mask (H, W).

        Where `known_foreground` (H, W) is not 0 the mask is 255 and the pixel's modes stay as they are.
        """
        height, width = image.shape[:2]
        self.n_channels = image[0, 0].size
        if self.n_frames == 0 or (learning_rate is not None and learning_rate >= 1):
            self.n_frames = 0
            self.modes = [[[] for _ in range(width)] for _ in range(height)]
        self.n_frames += 1
        if learning_rate is None or self.n_frames == 1:
            learning_rate = 1.0 / min(2 * self.n_frames, self.history)
        rate = f32(learning_rate)
        prune = f32(-learning_rate * float(self.complexity_prior))  # one rounding: the product is a double

        mask = np.empty((height, width), np.uint8)
        for y in range(height):
            for x in range(width):
                if known_foreground is not None and known_foreground[y, x]:
                    mask[y, x] = 255
                    continue
                value = [f32(channel) for channel in np.atleast_1d(image[y, x])]
                modes = self.modes[y][x]
                if self._update(modes, value, rate, prune):
                    mask[y, x] = 0
                elif self.detect_shadows and self._is_shadow(modes, value):
                    mask[y, x] = self.shadow_value
                else:
                    mask[y, x] = 255
        return mask

    def _update(self, modes: list[Mode], value: Pixel, rate: np.float32, prune: np.float32) -> bool:
        """Update one pixel's modes in place; return whether `value` belongs to the background.

        A mode that loses its weight is not taken out: it keeps its place with weight 0, and the count shrinks
        by one while the loop runs, so it is the last mode that is dropped, unvisited.
        """
        is_background = False
        fits = False
        total = f32(0)
        n_modes = len(modes)
        i = 0
        while i < n_modes:
            mode = modes[i]
            weight = (f32(1) - rate) * mode.weight + prune
            place = i
            if not fits:
                difference, distance = _compare(mode.mean, value)
                if total < self.background_ratio and distance < self.var_threshold * mode.variance:
                    is_background = True
                if distance < self.var_threshold_gen * mode.variance:
                    fits = True
                    weight = weight + rate
                    self._absorb(mode, difference, distance, rate / weight)
                    place = _rise(modes, i, weight)
            if weight < -prune:
                weight = f32(0)
                n_modes -= 1
            modes[place].weight = weight
            total = total + weight
            i += 1
        del modes[n_modes:]

        scale = f32(1) / total if abs(total) > FLT_EPSILON else f32(0)
        for mode in modes:
            mode.weight = mode.weight * scale
        if not fits and rate > 0:
            self._insert(modes, value, rate)
        return is_background

    def _absorb(self, mode: Mode, difference: Pixel, distance: np.float32, k: np.float32) -> None:
        """Move a mode's mean and variance by the share `k` towards a value that fits it."""
        mode.mean = [m - k * d for m, d in zip(mode.mean, difference, strict=True)]
        variance = mode.variance + k * (distance - mode.variance)
        mode.variance = min(max(variance, self.var_min), self.var_max)

    def _insert(self, modes: list[Mode], value: Pixel, rate: np.float32) -> None:
        """Give a value that fits no mode a mode of its own, in place of the weakest if there is no room."""
        if len(modes) == self.n_components:
            modes.pop()
        for mode in modes:
            mode.weight = mode.weight * (f32(1) - rate)
        modes.append(Mode(rate if modes else f32(1), self.var_init, list(value)))
        _rise(modes, len(modes) - 1, rate)

    def _is_shadow(self, modes: list[Mode], value: Pixel) -> bool:
        """Tell whether `value` is a background mode dimmed: the same hue, a fraction of the light."""
        total = f32(0)
        for mode in modes:
            projection = _dot(value, mode.mean)
            square = _dot(mode.mean, mode.mean)
            if square == 0:
                return False
            if self.shadow_threshold * square <= projection <= square:
                dimming = projection / square
                _, distance = _compare([dimming * m for m in mode.mean], value)
                if distance < self.var_threshold * mode.variance * dimming * dimming:
                    return True
            total = total + mode.weight
            if total > self.background_ratio:
                return False
        return False

    def background_image(self) -> np.ndarray:
        """Return the weighted mean of each pixel's background modes as a uint8 image of the frames' shape."""
        rows = [[self._background_of(modes) for modes in row] for row in self.modes]
        return np.rint(np.array(rows, np.float32)).clip(0, 255).astype(np.uint8).squeeze()

    def _background_of(self, modes: list[Mode]) -> Pixel:
        total = f32(0)
        mean = [f32(0)] * self.n_channels
        for mode in modes:
            mean = [sum_ + mode.weight * m for sum_, m in zip(mean, mode.mean, strict=True)]
            total = total + mode.weight
            if total > self.background_ratio:
                break
        scale = f32(1) / total if abs(total) > FLT_EPSILON else f32(0)
        return [channel * scale for channel in mean]


def _compare(mean: Pixel, value: Pixel) -> tuple[Pixel, np.float32]:
    """Return mean - value by channel, and its squared length."""
    difference = [m - v for m, v in zip(mean, value, strict=True)]
    return difference, _dot(difference, difference)


def _dot(a: Pixel, b: Pixel) -> np.float32:
    total = f32(0)
    for p, q in zip(a, b, strict=True):
        total = total + p * q
    return total


def _rise(modes: list[Mode], i: int, weight: np.float32) -> int:
    """Move mode `i` up past every mode that is not heavier than `weight`; return its new place."""
    while i > 0 and not weight < modes[i - 1].weight:
        modes[i], modes[i - 1] = modes[i - 1], modes[i]
        i -= 1
    return i


# ------------------------------------------------------------------- batch EM, in float64, one row at a time


def naive_log_terms(row: np.ndarray, weights: np.ndarray, means: np.ndarray, covariances: np.ndarray) -> np.ndarray:
    """Return log(weight_k) + log N(row | mean_k, covariance_k) for each k; `covariances` as `naive_matrices` gives."""
    terms = []
    for weight, mean, covariance in zip(weights, means, covariances, strict=True):
        difference = row - mean
        distance = difference @ np.linalg.solve(covariance, difference)
        log_det = np.linalg.slogdet(covariance)[1]
        terms.append(np.log(weight) - 0.5 * (len(row) * np.log(2 * np.pi) + log_det + distance))
    return np.array(terms)


def naive_matrices(covariances: np.ndarray, covariance_type: str, shape: tuple[int, int]) -> np.ndarray:
    """Return a D x D matrix for each of the K components, whatever the type of covariance; `shape` is (K, D)."""
    n_components, n_features = shape
    if covariance_type == "full":
        return covariances
    if covariance_type == "tied":
        return np.stack([covariances] * n_components)
    if covariance_type == "diag":
        return np.stack([np.diag(variances) for variances in covariances])
    return np.stack([variance * np.eye(n_features) for variance in covariances])


def naive_e_step(X, weights, means, covariances, covariance_type):
    """Return log p(x) of each row, and the responsibilities."""
    matrices = naive_matrices(covariances, covariance_type, means.shape)
    densities, responsibilities = [], []
    for row in X:
        terms = naive_log_terms(row, weights, means, matrices)
        top = max(terms)
        density = top + np.log(sum(np.exp(term - top) for term in terms))
        densities.append(density)
        responsibilities.append(np.exp(terms - density))
    return np.array(densities), np.array(responsibilities)


def naive_m_step(X, responsibilities, covariance_type, reg_covar, sample_weight=None):
    """Return weights, means and covariances of greatest expected likelihood, as scikit-learn defines them."""
    (n_rows, n_features), n_components = X.shape, responsibilities.shape[1]
    r = responsibilities * (np.ones(n_rows) if sample_weight is None else sample_weight)[:, None]
    counts = np.zeros(n_components) + 10 * np.finfo(np.float64).eps
    means = np.zeros((n_components, n_features))
    scatter = np.zeros((n_components, n_features, n_features))
    for i in range(n_rows):
        counts += r[i]
    for i in range(n_rows):
        for k in range(n_components):
            means[k] += r[i, k] * X[i] / counts[k]
    for i in range(n_rows):
        for k in range(n_components):
            scatter[k] += r[i, k] * np.outer(X[i] - means[k], X[i] - means[k])
    everything = np.eye(n_features) * reg_covar
    if covariance_type == "tied":
        covariances = scatter.sum(axis=0) / counts.sum() + everything
    else:
        covariances = scatter / counts[:, None, None] + everything
        if covariance_type != "full":
            covariances = np.stack([np.diag(matrix) for matrix in covariances])
        if covariance_type == "spherical":
            covariances = covariances.mean(axis=1)
    return counts / counts.sum(), means, covariances


def naive_em(X, weights, means, covariances, covariance_type, *, reg_covar, steps, sample_weight=None):
    """Do some steps of EM; return the parameters after the last, and the mean log-likelihood before each."""
    w = np.ones(len(X)) if sample_weight is None else sample_weight
    bounds = []
    for _ in range(steps):
        densities, responsibilities = naive_e_step(X, weights, means, covariances, covariance_type)
        bounds.append(sum(w * densities) / sum(w))
        weights, means, covariances = naive_m_step(X, responsibilities, covariance_type, reg_covar, sample_weight)
    return weights, means, covariances, bounds
