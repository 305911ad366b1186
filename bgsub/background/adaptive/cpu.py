"""The adaptive model's engine on the CPU: kernels for tiles of sixteen pixels, OpenCV for pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import compress
from typing import Any

import numpy as np

from bgsub import threads as pool
from bgsub.background.adaptive.codes import (
    FLICKER_STEPS,
    MEAN_C,
    MEAN_Y,
    NOBODY,
    SUSPECT,
    WITNESS,
    ZERO_BYTE,
)
from bgsub.background.adaptive.constants import Search
from bgsub.background.adaptive.displacement import Displacement, within_frame
from bgsub.background.adaptive.engine import FLICKERING, SAMPLES, Likeness, Objects, View, layout
from bgsub.background.adaptive.evenness import count_depths, dimming_for, explain_shadows
from bgsub.background.adaptive.evidence import probability_of, smoothed
from bgsub.background.adaptive.flicker import average_flicker, count_above
from bgsub.background.adaptive.kernels import Planes, State, score_tiles, update_tiles
from bgsub.background.adaptive.light import CHROMA, LUMA
from bgsub.background.adaptive.likeness import luma_within, measure
from bgsub.background.adaptive.marks import Drawn, Told, drawn_of, forget_rows, near_of, table_of, tell, with_ghosts
from bgsub.background.adaptive.neighbourhood import explain_by_neighbours
from bgsub.background.adaptive.registration import small
from bgsub.background.adaptive.smoothing import find_positive, mark_active, n_bands, positive_for
from bgsub.background.adaptive.standing import raise_standing, share_below
from bgsub.background.adaptive.step import NO_SHADOW, Step
from bgsub.background.adaptive.vacated import clear_vacated
from bgsub.background.layout import alive, check_modes, fill_tiles, n_tiles, to_pixels
from bgsub.background.outlines import Found
from bgsub.background.region import Area
from bgsub.simd import LANES, bound, zeros
from bgsub.threads import Work

# Constants that are no parameters; of each its origin, as `parameters.Origin` defines the words.
_ENOUGH = 1000  # cost: tiles with shadows that are worth another thread
_LANE = 7  # cost: one pixel of a tile stands for it in the sample of the light


class CpuEngine:
    """An `Engine` of kernels for tiles, shared by threads, and of OpenCV's functions for pictures.

    Parameters
    ----------
    area : Area
        The part of the frames that is worked on.
    n_channels : {1, 3}
        Of the frames.
    n_components : int
        Most Gaussians that a pixel can have.
    threads : int, optional
        Most threads to use, by default as many as there are processors.

    Attributes
    ----------
    state : State
        The mixture and the flicker, in tiles.
    planes : Planes
        What the stages of a frame hand each other, in tiles.
    pictures : Planes
        The same memory as pictures, (h, w).
    age : ndarray of uint8, shape (h, w)
        Frames since a larger object came, 0 where there is none.
    """

    def __init__(self, area: Area, n_channels: int, n_components: int, threads: int | None = None) -> None:
        self._area = area
        self._size = area.size
        self._n_pixels = area.size[0] * area.size[1]
        self.threads = threads
        self._n_tiles = tiles = n_tiles(area.size)
        rows = layout(area.size, n_channels, n_components)["modes"][0][1]
        self.state = State(
            weights=zeros((tiles, n_components, LANES), np.float32),
            modes=zeros((n_components, tiles, rows, LANES), np.float32),
            n_modes=np.ones(tiles, np.uint8),
            flicker=zeros((tiles, LANES), np.float32),
            raw=zeros((tiles, LANES), np.uint8),
        )
        self.planes = Planes(*(np.zeros((tiles, LANES), np.uint8) for _ in Planes._fields))
        self.pictures = Planes(*map(self._as_picture, self.planes))
        self.age = np.zeros(area.size, np.uint8)
        self._n_bands = n_bands(area.size)
        self._positive = positive_for(area.size)
        self._found: list[Found] = []
        self._around = np.zeros(area.size, np.uint8)
        self._rows = np.zeros(area.size[0], np.uint8)
        self._active = np.zeros(tiles, np.uint8)
        self._flickering = np.zeros(self._n_bands, np.int64)
        self._flicker_is_spread = False
        self._outside = np.ones((tiles, LANES), np.uint8)  # pixels that are not there are outside too
        self._as_picture(self._outside)[...] = area.outside
        self._is_marked = True  # `closed` may be more than what lies outside
        self._dimming = dimming_for(area.size, tiles)

    @property
    def threads(self) -> int | None:
        """Most threads to use; None for as many as there are processors."""
        return self._threads

    @threads.setter
    def threads(self, threads: int | None) -> None:
        self._threads = threads
        self._n_threads = pool.threads_for(self._n_pixels, threads)

    # --------------------------------------------------------------------------------------- before the evidence

    def small_frame(self, pixels: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
        """Return the luma of a whole frame's area, brought down to `shape`; see `Engine`."""
        return small(pixels[self._area.box], shape)

    def small_background(self, shape: tuple[int, int]) -> np.ndarray:
        """Return the luma of the background, brought down to `shape`."""
        return small(self._as_picture(self.state.modes[0, :, MEAN_Y]), shape)

    def show(self, pixels: np.ndarray, known_foreground: np.ndarray | None, displacement: np.ndarray | None) -> View:
        """Take the frame that the next calls are about, and tell about it; see `Engine`."""
        area, self._displacement, hidden = self._area, None, None
        known = None if known_foreground is None else known_foreground.view(np.uint8)
        self._known_in_frame = None if known is None else known[area.box] != 0
        if displacement is not None:
            corner = (area.box[1].start, area.box[0].start)
            self._displacement = Displacement(within_frame(displacement, corner), area.frame)
            pixels = self._displacement.to_background(pixels)
            known = None if known is None else self._displacement.to_background(known, nearest=True)
            hidden = self._displacement.hidden()[area.box]
        self._known = None if known is None else known[area.box] != 0
        self._frame = np.ascontiguousarray(pixels[area.box])
        self._image = self._as_tiles(self._frame)
        self._mark_closed(hidden)
        tiles = self._image.reshape(-1, LANES, *self._image.shape[1:])
        step = max(1, len(tiles) // SAMPLES)
        return View(
            pixels=tiles[::step, _LANE].astype(np.float32),
            background=self.state.modes[0, ::step, MEAN_Y, _LANE],
            flickering=int(self._flickering.sum()) / self._n_pixels,
        )

    # -------------------------------------------------------------------------------------------- what is found

    def begin(self) -> Objects:
        """Take the frame as one that has nothing to differ from; see `Engine`."""
        self.planes.owner[...] = NOBODY
        self._smoothing: float | None = None  # there is no evidence
        self._tells_shadows = False
        self._positive = positive_for(self._size)
        return self._table(0, 0, 0)

    def score(self, step: Step, search: Search) -> Objects:
        """Find the objects of the frame; see `Engine`."""
        self._smoothing, self._tells_shadows = search.smoothing, search.shadow is not None
        self._score_pixels(step, search)
        evidence = self.pictures.evidence
        if self._closes_more_than_known:
            evidence[self.pictures.closed != 0] = ZERO_BYTE
        if self._known is not None:
            evidence[self._known] = 255
            self._active |= WITNESS
        if search.shadow is not None and search.standing is not None:
            self._raise_standing(search)
        if search.vacated_ratio:
            self._clear_vacated(step, search.vacated_ratio)
        frame, value = (evidence, self.pictures.owner), search.shadow_value if search.shadow else None
        self._share_bands(partial(find_positive, frame, self._active, search.smoothing, value, self._positive))
        return self._table(search.min_area, search.fill_area, search.compared_area)

    def shadow_depths(self) -> np.ndarray:
        """Return how dark the shadows of the frame are; see `Engine`."""
        return np.sum(self._depths, axis=0)

    def likeness(self, rows: Sequence[int]) -> list[Likeness]:
        """Compare the structure of frame and background within each of some objects."""
        found: dict[int, Likeness] = {}

        def work(lo: int, hi: int) -> None:
            for row in rows[lo:hi]:
                box, inside = self._found[row].patch(self._size)
                learned = luma_within(box, self.state.modes[0], self._size[1])
                found[row] = measure(self._frame[box], learned, inside)

        if rows:
            pool.share(work, len(rows), min(self._n_threads, len(rows)))
        return [found[row] for row in rows]

    # ------------------------------------------------------------------------------------------ learning, results

    def keep(self, kept: np.ndarray, large: np.ndarray) -> None:
        """Take the objects that are foreground; see `Engine`."""
        self._drawn = drawn_of(self._found, kept, large, self._size, self._n_threads)

    def learn(self, step: Step, ghosts: np.ndarray, oldest: int) -> None:
        """Move the mixture and the flicker; see `Engine`."""
        self._depths = [np.zeros(256, np.int64)]
        gone = list(compress(self._found, ghosts))
        drawn = with_ghosts(self._drawn, gone) if gone else self._drawn
        self._share_bands(self._learning(step, drawn, oldest))
        self._flicker_is_spread = False

    def deliver(self, mask: np.ndarray, probability: np.ndarray | None) -> None:
        """Write what the caller gets, where the frame shows it; see `Engine`."""
        marked = mask if self._shows_all else np.empty(self._size, np.uint8)
        np.maximum(self._positive.shadows, self._drawn.kept, out=marked)
        if self._known is not None:
            marked[self._known & ~self._area.outside] = 255
        if not self._shows_all:
            self._place(marked, mask, nearest=True)
        if self._known_in_frame is not None:
            mask[self._area.box][self._known_in_frame & ~self._area.outside] = 255
        if probability is not None:
            likely = np.empty(self._size, np.float32)
            nothing = np.zeros(self._size, np.uint8)  # the least evidence there is
            evidence = self.pictures.evidence
            probability_of(nothing if self._smoothing is None else smoothed(evidence, self._smoothing), likely)
            self._place(likely, probability, nearest=False)

    def background_image(self) -> np.ndarray:
        """Return the mean of the heaviest mode of each pixel, float32, (h, w) or (h, w, 3); NaN without one."""
        modes = self.state.modes[0]
        luma = self._as_picture(modes[:, MEAN_Y])
        if modes.shape[1] == 2:
            picture = luma.copy()
        else:
            red = luma + self._as_picture(modes[:, MEAN_C]) / np.float32(CHROMA[0])
            blue = luma + self._as_picture(modes[:, MEAN_C + 1]) / np.float32(CHROMA[1])
            green = (luma - np.float32(LUMA[0]) * blue - np.float32(LUMA[2]) * red) / np.float32(LUMA[1])
            picture = np.dstack([blue, green, red])
        picture[self._as_picture(self.state.weights[:, 0]) == 0] = np.nan
        return picture

    # ------------------------------------------------------------------------------------------------ persistence

    def forget(self) -> None:
        """Empty the state."""
        self.state.weights[...] = 0
        self.state.modes[...] = 0  # the light is measured against them
        self.state.n_modes[...] = 1
        self._is_marked = True
        rest = (self._around, self._rows, self._flickering)
        for plane in (self.state.flicker, self.state.raw, self.age, *self.planes, *rest):
            plane[...] = 0

    def saved(self) -> dict[str, np.ndarray]:
        """Return the arrays of `layout` but for ``reference``, by name: copies."""
        weights = to_pixels(self.state.weights, self._size)
        return {
            "weights": weights,
            "modes": to_pixels(self.state.modes, self._size, axis=1),
            "n_modes": alive(weights),
            "flicker": to_pixels(self.state.flicker, self._size),
            "raw": to_pixels(self.state.raw, self._size),
            "age": self.age.copy(),
            "mask": self.pictures.mask.copy(),
        }

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take over what `saved` gave; see `Engine`."""
        check_modes(arrays)
        flicker = arrays["flicker"]
        if not (flicker.min() >= 0 and flicker.max() <= 1):  # false for NaN too
            raise ValueError("flicker out of bounds")
        fill_tiles(self.state.weights, arrays["weights"])
        fill_tiles(self.state.modes, arrays["modes"], axis=1)
        fill_tiles(self.state.flicker, flicker)
        fill_tiles(self.state.raw, arrays["raw"])
        n_modes = np.zeros(self.state.raw.shape, np.uint8)
        fill_tiles(n_modes, arrays["n_modes"])
        self.state.n_modes[...] = np.maximum(n_modes.max(axis=1), 1)
        self.age[...] = arrays["age"]
        self.pictures.mask[...] = arrays["mask"]
        self.planes.flicker[...] = np.minimum(self.state.flicker * FLICKER_STEPS + np.float32(0.5), 255)
        self._around[...] = near_of(self.age)
        forget_rows(self._rows)
        count_above(self.pictures.flicker, FLICKERING, self._flickering, 0, self._n_bands)
        self._flicker_is_spread = False

    # ------------------------------------------------------------------------------------------------- the stages

    def _as_tiles(self, picture: np.ndarray) -> np.ndarray:
        """Return the pixels of a picture one after another, shape (N,) or (N, 3), N a multiple of 16."""
        flat = picture.reshape(self._n_pixels, *picture.shape[2:])
        missing = self.planes.mask.size - self._n_pixels
        if missing:
            flat = np.concatenate([flat, np.zeros((missing, *picture.shape[2:]), picture.dtype)])
        return np.require(flat, requirements=["A", "W"])

    def _mark_closed(self, hidden: np.ndarray | None) -> None:
        """Let nothing be learned outside the region, where objects are known, and what the frame does not show."""
        now = [plane for plane in (self._known, hidden) if plane is not None]
        if now or self._is_marked:
            self.planes.closed[...] = self._outside
        for plane in now:
            self.pictures.closed[plane] = 1
        self._is_marked = bool(now)
        self._closes_more_than_known = hidden is not None or not self._area.is_whole

    def _share_bands(self, work: Work) -> None:
        """Let threads call `work` for ranges of bands."""
        pool.share(work, self._n_bands, self._n_threads)

    def _on_tiles(self, kernel: Any, *arguments: Any) -> Work:
        """Return work that calls a kernel for the tiles of bands: as many in each as the picture has columns."""
        width, n_tiles = self._size[1], self._n_tiles
        call = bound(kernel, *arguments, kind=(self._image.dtype, self._image.ndim))  # all else has one type
        return lambda lo, hi: call(lo * width, min(hi * width, n_tiles))

    def _score_pixels(self, step: Step, search: Search) -> None:
        """Write the evidence of pixels by themselves, and what a shadow, or background that moves, leaves of it."""
        frame, width = (self._image, self.state, self.planes), self._size[1]
        shadow, near = search.shadow, search.neighbourhood
        dims = self._dimming.tiles, step, shadow is not None, shadow or NO_SHADOW
        works = [self._on_tiles(score_tiles, *frame, *dims)]
        if not self._flicker_is_spread:
            flicker = self.pictures.flicker, self.pictures.smooth_flicker
            works.insert(0, partial(average_flicker, *flicker))
        if shadow is not None:
            self._share_bands(in_turn(works))
            works = [self._on_tiles(explain_shadows, *frame, self._dimming, width, step, shadow)]  # asks other bands
        if near.neighbour_radius:
            works.append(self._on_tiles(explain_by_neighbours, *frame, self._size, step, near))
        works.append(self._on_tiles(mark_active, self.planes, self._active))
        self._share_bands(in_turn(works))
        self._flicker_is_spread = True

    def _clear_vacated(self, step: Step, ratio: float) -> None:
        """Take the evidence away where something has left that stood there in the first frame."""
        evidence = self.pictures.evidence
        clear_vacated(evidence, self._frame, self.state.modes[0], float(step.gain), ratio)
        if self._known is not None:
            evidence[self._known] = 255

    def _learning(self, step: Step, drawn: Drawn, oldest: int) -> Work:
        """Return work that tells learning of the objects, learns, and counts what flickers."""
        pictures = self.pictures
        told = Told(self._rows, self._around, self.age, pictures.near, pictures.mask)
        update = self._on_tiles(update_tiles, self._image, self.state, self.planes, step)
        count = partial(count_above, pictures.flicker, FLICKERING, self._flickering)
        works: list[Work] = [partial(tell, drawn, oldest, told), update, count]
        return in_turn([*works, self._count_depths] if self._tells_shadows else works)

    def _count_depths(self, lo: int, hi: int) -> None:
        """Count how dark the shadows of some bands are."""
        depths = np.zeros(256, np.int64)
        self._on_tiles(count_depths, self.planes, self._active, self._dimming.tiles, self._size, depths)(lo, hi)
        self._depths.append(depths)

    def _raise_standing(self, search: Search) -> None:
        """Raise the evidence of shadows that stand."""
        n_suspects = int(np.count_nonzero(self._active & SUSPECT))
        if n_suspects:
            below, spacing = share_below(self.pictures.evidence, search.standing_reach)
            work = bound(raise_standing, self.planes, below, spacing, self._size, search.standing)
            pool.share(work, self._n_tiles, min(self._n_threads, 1 + n_suspects // _ENOUGH))

    def _table(self, min_area: float, fill_area: float, compared_area: int) -> Objects:
        """Take the objects of what is positive, and return their table."""
        self._found = self._positive.objects(min_area, fill_area)
        return table_of(self._found, self.pictures.mask, compared_area)

    @property
    def _shows_all(self) -> bool:
        """Whether the mask is that of the area as it is."""
        return self._area.is_whole and self._displacement is None

    def _as_picture(self, plane: np.ndarray) -> np.ndarray:
        """Return a plane of tiles as a picture, shape (h, w); no copy of one that lies in one piece."""
        return plane.reshape(-1)[: self._n_pixels].reshape(self._size)

    def _place(self, picture: np.ndarray, out: np.ndarray, nearest: bool) -> None:
        """Write a picture of the area to one of the whole frame, as the frame shows it; 0 outside the region."""
        box, outside = self._area.box, self._area.outside
        if not self._area.is_whole:
            picture[outside] = 0
            out[...] = 0
        if self._displacement is not None:
            whole = np.zeros(self._area.frame, out.dtype)
            whole[box] = picture
            picture = self._displacement.to_frame(whole, nearest)[box]  # the movement reaches beyond the area
            if not self._area.is_whole:
                picture[outside] = 0
        out[box] = picture


def in_turn(works: list[Work]) -> Work:
    """Return work that does several on each range, one after another."""

    def work(lo: int, hi: int) -> None:
        for one in works:
            one(lo, hi)

    return work
