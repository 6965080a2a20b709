"""Cuts faces out of pictures, upright."""

from math import hypot

import cv2
import numpy as np

from entities import Box, Corners, Image


def crop_face(image: Image, box: Box, corners: Corners = ()) -> Image:
    """Return a face, turned upright.

    Args:
        image: (H, W) or (H, W, 3) uint8.
        box: where the face is, inside the picture.
        corners: those of the turned square, as in `Face`; without them the box is cut out as it is.

    Returns:
        (h, w) or (h, w, 3) uint8; as large as the face is in the picture. Beyond the picture's edge, the pixels at
        the edge go on.
    """
    if not corners:
        return box.crop(image)
    size = max(1, round(hypot(corners[1][0] - corners[0][0], corners[1][1] - corners[0][1])))
    return upright(image, corners, size)


def upright(image: Image, corners: Corners, size: int) -> Image:
    """Return what is inside a turned square as a (size, size) or (size, size, 3) picture, as `crop_face` does."""
    left_top, right_top, _, left_bottom = corners
    # Pixels have their middles at half: the square's edge is half a pixel before the first.
    source = np.array([left_top, right_top, left_bottom], np.float32) - 0.5
    target = np.array([(0, 0), (size, 0), (0, size)], np.float32) - 0.5
    turn = cv2.getAffineTransform(source, target)
    turned = cv2.warpAffine(image, turn, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, np.uint8)


def turn_back(upright_image: Image, box: Box, corners: Corners = ()) -> Image:
    """Return what lies over a face's crop as it lies over its box: (height, width) uint8, 0 where there is none."""
    size = box.width, box.height
    if not corners:
        return np.asarray(cv2.resize(upright_image, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    side = upright_image.shape[0]
    source = np.array([(0, 0), (side, 0), (0, side)], np.float32) - 0.5
    target = np.array([corners[0], corners[1], corners[3]], np.float32) - (box.x, box.y) - 0.5
    turn = cv2.getAffineTransform(source, target.astype(np.float32))
    return np.asarray(cv2.warpAffine(upright_image, turn, size, flags=cv2.INTER_LINEAR), np.uint8)
