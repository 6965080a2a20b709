"""The quality of a face's picture: what is small, blurred, dark, doubtful or seen from the side is not usable."""

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from entities import EXPRESSIONS, Box, Face, Image
from vision.quality import Quality, quality_of


def face(box: Box, **values: Any) -> Face:
    """Return a neutral face in a box."""
    return Face(box, tuple(float(name == "Neutral") for name in EXPRESSIONS), 1, **values)


def test_a_sharp_photograph_is_usable(portrait: tuple[Image, Box]) -> None:
    """Height, brightness and score are those of the face; it is sharp."""
    image, box = portrait
    quality = quality_of(face(box, score=0.9), image)
    assert quality.usable
    assert (quality.face_height, quality.score) == (box.height, 0.9)
    assert quality.brightness == pytest.approx(cv2.cvtColor(box.crop(image), cv2.COLOR_BGR2GRAY).mean(), abs=2)
    assert quality.sharpness > 0.3


def test_sharpness_falls_with_blur_and_not_with_contrast(portrait: tuple[Image, Box]) -> None:
    """A face blurred by 5 % of its width is not usable; at half the contrast it is as sharp as before."""
    image, box = portrait
    sharp = quality_of(face(box), image).sharpness
    blurred = quality_of(face(box), np.asarray(cv2.GaussianBlur(image, (0, 0), 0.05 * box.width), np.uint8))
    faint = quality_of(face(box), image // 2)
    assert blurred.sharpness < sharp / 10
    assert not blurred.usable
    assert faint.sharpness == pytest.approx(sharp, rel=0.1)


def test_a_turned_face_has_its_own_height() -> None:
    """It is the side of the turned square that counts, not its box's."""
    turned = face(Box(0, 0, 20, 20), corners=((0, 10), (30, 50), (-10, 80), (-40, 40)))
    assert quality_of(turned, np.zeros((100, 100, 3), np.uint8)).face_height == pytest.approx(50)


@pytest.mark.parametrize(
    "change",
    [
        {"face_height": 23},
        {"sharpness": 0.02},
        {"brightness": 39},
        {"brightness": 221},
        {"score": 0.6},
        {"profile": True},
    ],
)
def test_each_fault_is_enough(change: dict[str, Any]) -> None:
    """One thing that is not good enough makes a face unusable; a detector without a score is no fault."""
    good = Quality(face_height=24, sharpness=0.03, brightness=128, score=None, profile=False)
    assert good.usable
    assert not replace(good, **change).usable


def test_an_even_picture_has_no_sharpness() -> None:
    """Nothing is divided by zero."""
    assert quality_of(face(Box(0, 0, 30, 30)), np.full((40, 40), 90, np.uint8)).sharpness == 0
