"""Colours as others see them: the simulation of Machado et al. (2009), full strength, and distances in CIE Lab."""

import itertools

import numpy as np

TO_LUMINANCE = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.119192, 0.9503041]]
)
SEEN_BY = {
    "everybody": np.eye(3),
    "deuteranopes": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "protanopes": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
}


def lab(colours, viewer="everybody"):
    """sRGB from 0 to 1, (n, 3), in CIE Lab as somebody sees them."""
    colours = np.asarray(colours, float)
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    xyz = (linear @ SEEN_BY[viewer].T).clip(0, 1) @ TO_LUMINANCE.T / [0.95047, 1, 1.08883]
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116).T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


def closest(colours, viewer):
    """The smallest distance of two of the colours; 2 is just seen."""
    places = lab(colours, viewer)
    return min(float(np.linalg.norm(one - other)) for one, other in itertools.combinations(places, 2))
