"""Pictures made of a frame and its mask, for programs: what the sinks draw, with arguments checked."""

from __future__ import annotations

import numpy as np

from bgsub.errors import ParameterError
from bgsub.video.colors import Color, parse_color
from bgsub.video.writers import drawing


def overlay(
    image: np.ndarray,
    mask: np.ndarray,
    *,
    color: Color | str = "magenta",
    shadow_color: Color | str | None = "blue",
    opacity: float = drawing.OPACITY,
) -> np.ndarray:
    """Return a picture with its moving objects tinted and outlined, as ``bgsub run --overlay`` draws it.

    Parameters
    ----------
    image : ndarray, shape (H, W), (H, W, 1) or (H, W, 3)
        Grey or BGR; it stays as it is.
    mask : ndarray of uint8 or bool, shape (H, W)
        0 background, 255 foreground, anything else shadow.
    color : tuple of int or str, default 'magenta'
        Of objects: blue, green and red, 0 to 255 each, or a name or number such as "cyan" and "#ff00aa". A run looks
        for one that the scene lacks.
    shadow_color : tuple of int, str or None, default 'blue'
        The same of their shadows; None leaves these as they are.
    opacity : float, default 0.45
        Share of the colour in what is tinted, from 0 to 1.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        BGR.

    Raises
    ------
    ParameterError
        When an argument is not as above.

    Examples
    --------
    >>> import numpy as np
    >>> import bgsub
    >>> image, mask = np.full((60, 80), 90, np.uint8), np.zeros((60, 80), np.uint8)
    >>> mask[20:40, 30:50] = 255
    >>> picture = bgsub.overlay(image, mask, color=(0, 0, 255), opacity=0.5)
    >>> picture[5, 5].tolist(), picture[30, 40].tolist()
    ([90, 90, 90], [45, 45, 172])
    """
    image, mask = checked_image(image), _checked_mask(mask, image)
    if not 0 <= opacity <= 1:
        raise ParameterError(f"opacity is {opacity!r}: give a number from 0 to 1")
    shadows = None if shadow_color is None else checked_color("shadow_color", shadow_color)
    return drawing.overlay(image, mask, checked_color("color", color), shadows, opacity)


def cutout(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return the moving objects as they are, and the rest transparent, as ``bgsub run --foreground`` draws it.

    Parameters
    ----------
    image : ndarray, shape (H, W), (H, W, 1) or (H, W, 3)
        Grey or BGR; it stays as it is.
    mask : ndarray of uint8 or bool, shape (H, W)
        255 foreground; background and shadows are anything else.

    Returns
    -------
    ndarray of uint8, shape (H, W, 4)
        BGRA, as ``cv2.imwrite`` takes it for a PNG file. What is transparent is black.

    Raises
    ------
    ParameterError
        When an argument is not as above.

    Examples
    --------
    >>> import numpy as np
    >>> import bgsub
    >>> image, mask = np.full((60, 80, 3), 90, np.uint8), np.zeros((60, 80), bool)
    >>> mask[20:40, 30:50] = True
    >>> picture = bgsub.cutout(image, mask)
    >>> picture[5, 5].tolist(), picture[30, 40].tolist()
    ([0, 0, 0, 0], [90, 90, 90, 255])
    """
    image, mask = checked_image(image), _checked_mask(mask, image)
    return drawing.transparent_cutout(image, mask)


def checked_image(image: np.ndarray) -> np.ndarray:
    """Return an image that can be drawn on, or raise ParameterError; true and false become white and black."""
    if not isinstance(image, np.ndarray):
        raise ParameterError(f"image is a {type(image).__name__}: give a NumPy array")
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] not in (1, 3)) or image.size == 0:
        raise ParameterError(f"image has shape {image.shape}: give (height, width) or (height, width, 3)")
    if image.dtype.kind not in "buif":
        raise ParameterError(f"image has dtype {image.dtype}: give numbers, such as uint8")
    return np.ascontiguousarray(_white_and_black(image))


def _checked_mask(mask: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Return the mask of an image as uint8, or raise ParameterError."""
    shape = image.shape[:2]
    if not isinstance(mask, np.ndarray) or mask.dtype not in (np.uint8, np.bool_) or mask.shape != shape:
        given = f"{mask.dtype} of shape {mask.shape}" if isinstance(mask, np.ndarray) else type(mask).__name__
        raise ParameterError(f"mask is {given}: give a uint8 array of the image's shape, {shape}")
    return np.ascontiguousarray(_white_and_black(mask))


def _white_and_black(image: np.ndarray) -> np.ndarray:
    return image.astype(np.uint8) * 255 if image.dtype == np.bool_ else image


def checked_color(name: str, color: Color | str) -> Color:
    """Return a colour as three ints, or raise ParameterError."""
    if isinstance(color, str):
        return parse_color(color)
    try:
        blue, green, red = (int(value) for value in color)
        valid = all(0 <= value <= 255 for value in (blue, green, red)) and (blue, green, red) == tuple(color)
    except (TypeError, ValueError):
        valid = False
    if not valid:
        raise ParameterError(f"{name} is {color!r}: give blue, green and red, whole numbers from 0 to 255")
    return blue, green, red
