"""Puts a frame together: backdrop, shadows, moving things, and the label of every pixel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import cv2
import numpy as np

from .backdrop import Backdrop
from .geometry import Camera
from .light import Light
from .solids import Capsule, Drawing, Face, Shade, Solid, cast, joint_region, patches
from .textures import Array

STATIC, SHADOW, UNKNOWN, MOVING = 0, 50, 170, 255
"""CDnet's labels, as far as they occur here."""

_SUPERSAMPLE = 3
_MOMENTS = 4
_FLIP = np.array([1.0, 1.0, -1.0])
_LOST_IN_FOG = 0.93
"""Share of the air in an object's light from which on nobody can say where it ends: its label is unknown."""


class Actor(Protocol):
    """Something that moves."""

    def active(self, time: float) -> bool:
        """Tell whether it is in the scene."""

    def anchor(self, time: float) -> Array:
        """Point on the ground below it, (x, y, 0)."""

    def solids(self, time: float) -> list[Solid]:
        """Return what it is built of, where it is at `time`."""


class Cast(NamedTuple):
    """An actor in a frame: its body at each moment of the exposure, its place and its depth."""

    bodies: list[list[Solid]]
    anchor: Array
    depth: float


@dataclass
class Composite:
    """A frame before the sensor: linear light, objects' coverage, share of light lost to moving shadows."""

    light: Array
    coverage: Array
    darkening: Array

    def labels(self, blur: float) -> Array:
        """Return CDnet's label of every pixel, given the lens's blur in pixels."""
        coverage = cv2.GaussianBlur(self.coverage, (0, 0), blur)
        darkening = cv2.GaussianBlur(self.darkening, (0, 0), blur)
        truth = np.full(coverage.shape, STATIC, np.uint8)
        truth[darkening > 0.1] = SHADOW
        truth[coverage > 0.12] = UNKNOWN
        truth[coverage > 0.75] = MOVING
        return truth


@dataclass
class Stage:
    """A still scene and who moves in it.

    Attributes
    ----------
    camera, backdrop, lights
        As given to and returned by :func:`backdrop.paint`.
    actors : sequence of Actor
        Labelled as moving while they are in the scene, standing or not.
    shutter : float
        Seconds the shutter is open: the length of motion blur.
    mirror : ndarray, shape (H, W), or None
        Share of light that water, wet or polished ground mirrors.
    mirrored : ndarray, shape (H, W, 3), or None
        What a polished floor mirrors of the still scene: an actor's image takes its place. None where the mirrored
        picture is about as bright as the ground.
    mirror_blur : tuple of float
        Standard deviations of the mirrored image's blur, across and along the view, in pixels.
    relight : callable or None
        ``(time, points (n, 3), normals (n, 3)) -> irradiance (n, 3)`` of lights that move with the actors.
    scenery : callable or None
        ``(time, light (H, W, 3)) -> light`` draws what moves by itself behind the actors: leaves, water.
    front : callable or None
        ``(time, light, coverage)`` draws, in place, what moves by itself before the actors and hides them.
    """

    camera: Camera
    backdrop: Backdrop
    lights: Sequence[Light]
    actors: Sequence[Actor]
    shutter: float = 0.012
    mirror: Array | None = None
    mirrored: Array | None = None
    mirror_blur: tuple[float, float] = (1.2, 3.5)
    relight: Callable[[float, Array, Array], Array] | None = None
    scenery: Callable[[float, Array], Array] | None = None
    front: Callable[[float, Array, Array], None] | None = None

    def compose(self, time: float, gains: Mapping[str, float] | None = None) -> Composite:
        """Render one moment; `gains` scales the lights by name (1 where missing)."""
        gains = gains or {}
        everyone = [self._call(actor, time) for actor in self.actors if actor.active(time)]
        everyone.sort(key=lambda one: -one.depth)
        light, darkening = self._ground_light(everyone, gains)
        if self.relight:
            points, normals = (a.reshape(-1, 3) for a in (self.backdrop.points, self.backdrop.normals))
            light += self.backdrop.albedo * self.relight(time, points, normals).reshape(light.shape)
        if self.scenery:
            light = self.scenery(time, light)
        if self.mirror is not None:
            self._reflect(light, everyone, time, gains)
        coverage = np.zeros(light.shape[:2], np.float32)
        for one in everyone:
            self._add(light, coverage, one, self._shade(one.anchor, time, gains))
        if self.front:
            self.front(time, light, coverage)
        return Composite(light, coverage, darkening * (1 - coverage))

    def who(self, time: float) -> Array:
        """Return the number of the actor that each pixel shows, int16, -1 for none; nothing at the front hides them."""
        shown = np.full((self.camera.height, self.camera.width), -1, np.int16)
        calls = [(self._call(actor, time), i) for i, actor in enumerate(self.actors) if actor.active(time)]
        for one, number in sorted(calls, key=lambda call: -call[0].depth):
            drawing = Drawing(
                patches(one.bodies[_MOMENTS // 2], np.asarray(self.camera.position, float), _unlit), self.camera
            )
            region = joint_region([drawing], self.camera)
            if region is not None:
                covers = drawing.stamp(region, 1) * self._unhidden(region.slices, one.depth) > 0.5
                shown[region.slices][covers] = number
        return shown

    def _call(self, actor: Actor, time: float) -> Cast:
        moments = time + self.shutter * (np.arange(_MOMENTS) + 0.5) / _MOMENTS
        anchor = actor.anchor(time)
        depth = float(self.camera.project(anchor)[1])
        return Cast([actor.solids(moment) for moment in moments], anchor, depth)

    def _ground_light(self, everyone: Sequence[Cast], gains: Mapping[str, float]) -> tuple[Array, Array]:
        """Return the backdrop in its lights less the actors' shadows, and the share of light lost."""
        layers, ground = self.backdrop.layers, self.backdrop.ground
        before = layers["emission"] * np.float32(gains.get("emission", 1.0))
        after = before.copy()
        near = self._contact(everyone) * ground
        for light in self.lights:
            layer = layers[light.name] * np.float32(gains.get(light.name, 1.0))
            before += layer
            shade = self._shadow(everyone, light) * ground if light.shadows else 0.6 * near
            after += layer * (1 - shade)[..., None]
        lost = before.mean(axis=2) - after.mean(axis=2)
        return after, lost / np.maximum(before.mean(axis=2), 1e-3)

    def _shadow(self, everyone: Sequence[Cast], light: Light) -> Array:
        """Share of a light that the actors keep from the ground; its samples make the penumbra."""
        samples = np.zeros((0, 3)) if light.samples is None else light.samples
        shade = np.zeros((self.camera.height, self.camera.width), np.float32)
        for one in everyone:
            # Each sample of the light takes another moment: penumbra and motion blur in one average.
            drawings = [
                Drawing(cast(one.bodies[i % _MOMENTS], light, sample), self.camera) for i, sample in enumerate(samples)
            ]
            region = joint_region(drawings, self.camera)
            if region is not None:
                share = np.mean([drawing.stamp(region, 2) for drawing in drawings], axis=0)
                shade[region.slices] = np.maximum(shade[region.slices], share)
        return shade

    def _contact(self, everyone: Sequence[Cast]) -> Array:
        """Soft darkness right below the actors, where they hide the sky."""
        shade = np.zeros((self.camera.height, self.camera.width), np.float32)
        overhead = Light("overhead", np.ones(3), np.array([[0.0, 0.0, 1.0]]))
        for one in everyone:
            drawing = Drawing(cast(one.bodies[0], overhead, np.array([0.0, 0.0, 1.0])), self.camera)
            region = drawing.region(self.camera)
            if region is not None:
                pad = int(np.clip(self.camera.focal * 0.5 / max(one.depth, 1.0), 2, 40))
                region = region.grown(pad, self.camera)
                soft = cv2.GaussianBlur(drawing.stamp(region, 1), (0, 0), pad / 2.5)
                shade[region.slices] = np.maximum(shade[region.slices], soft)
        return shade

    def _shade(self, anchor: Array, time: float, gains: Mapping[str, float]) -> Shade:
        """Return the function that lights an actor standing at `anchor`."""
        pixel, _ = self.camera.project(anchor)
        column = int(np.clip(pixel[0], 0, self.camera.width - 1))
        row = int(np.clip(pixel[1], 0, self.camera.height - 1))
        reach = {
            light.name: gains.get(light.name, 1.0) * float(self.backdrop.visibility[light.name][row, column])
            for light in self.lights
        }

        def shade(points: Array, normals: Array) -> Array:
            total = np.zeros(points.shape)
            for light in self.lights:
                total += reach[light.name] * light.irradiance(points, normals)
            if self.relight:
                total += self.relight(time, points, normals)
            return total

        return shade

    def _add(self, light: Array, coverage: Array, one: Cast, shade: Shade) -> None:
        """Draw one actor over `light` and `coverage`, in place, behind what stands before it."""
        eye = np.asarray(self.camera.position, float)
        drawings = [Drawing(patches(solids, eye, shade), self.camera) for solids in one.bodies]
        region = joint_region(drawings, self.camera)
        if region is None:
            return
        filled = [drawing.fill(region, _SUPERSAMPLE) for drawing in drawings]
        colour: Array = np.asarray(np.mean([c for c, _ in filled], axis=0))
        mask: Array = np.asarray(np.mean([m for _, m in filled], axis=0))
        seen = 1.0
        if self.backdrop.haze:
            share = float(self.backdrop.haze.share(np.array(one.depth)))
            colour = colour * (1 - share) + mask[..., None] * (share * self.backdrop.haze.colour)
            seen = 1.0 if share < _LOST_IN_FOG else 0.5
        clear = self._unhidden(region.slices, one.depth)
        where = region.slices
        light[where] = light[where] * (1 - mask * clear)[..., None] + colour * clear[..., None]
        coverage[where] = 1 - (1 - coverage[where]) * (1 - seen * mask * clear)

    def _unhidden(self, where: tuple[slice, slice], depth: float) -> Array:
        """Share of each pixel where no wall or prop stands before `depth`."""
        fine = self.backdrop.depth.shape[0] // self.camera.height
        block = self.backdrop.depth[tuple(slice(s.start * fine, s.stop * fine) for s in where)]
        size = (where[1].stop - where[1].start, where[0].stop - where[0].start)
        return cv2.resize((block > depth - 0.3).astype(np.float32), size, interpolation=cv2.INTER_AREA)

    def _reflect(self, light: Array, everyone: Sequence[Cast], time: float, gains: Mapping[str, float]) -> None:
        """Mirror the actors in the wet ground, in place: upside down, and blurred, mostly along the view."""
        assert self.mirror is not None
        eye = np.asarray(self.camera.position, float)
        mirrored = None if self.mirrored is None else self.mirrored.copy()
        for one in everyone:
            shade = self._shade(one.anchor, time, gains)
            if mirrored is not None:
                shade = _lit_above(shade)
            drawing = Drawing(patches(_upside_down(one.bodies[0]), eye, shade), self.camera)
            region = drawing.region(self.camera)
            if region is None:
                continue
            region = region.grown(8, self.camera)
            across, along = self.mirror_blur
            colour, mask = (cv2.GaussianBlur(part, (0, 0), across, sigmaY=along) for part in drawing.fill(region, 1))
            share = self.mirror[region.slices][..., None]
            # The mirrored sky is in the backdrop already: the actor's image takes its place.
            there = mask[..., None]
            if mirrored is None:
                change = colour - 0.9 * there * light[region.slices]
            else:  # and who stands nearer hides it in turn
                change = colour - there * mirrored[region.slices]
                mirrored[region.slices] += change
            light[region.slices] += share * change


def _unlit(points: Array, normals: Array) -> Array:
    """Light what is only asked for its outline."""
    return np.ones(points.shape)


def _lit_above(shade: Shade) -> Shade:
    """Light a mirrored body as the real one is lit."""
    return lambda points, normals: shade(points * _FLIP, normals * _FLIP)


def _upside_down(solids: Sequence[Solid]) -> list[Solid]:
    turned: list[Solid] = []
    for solid in solids:
        if isinstance(solid, Capsule):
            turned.append(Capsule(solid.start * _FLIP, solid.end * _FLIP, solid.radius, solid.end_radius, solid.colour))
        else:
            turned.append(
                Face((solid.points * _FLIP)[::-1], solid.colour, solid.gloss, solid.emission, solid.both_sides)
            )
    return turned
