"""What private mode computes of faces and their probabilities is what Python computes of the same ones."""

from base64 import b64encode
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Page

from config import ROOT
from entities import Image
from expressions.smoothing import Smoother
from model import prepare
from tests.helpers.people import recorded
from training.metrics.people import read_rows
from vision.crops import crop_face
from vision.geometry import Square
from vision.pixels import resize, to_grey

SMOOTHED = """async ([rows, times, timeConstant, minConfidence]) => {
  const scripts = document.querySelector("script[src*='/js/']").src;
  const { Smoother } = await import(new URL("../private/smoothing.js", scripts));
  const smoother = new Smoother(timeConstant, minConfidence);
  return rows.map((row, i) => [smoother.update(row, times[i]), smoother.shown, smoother.threshold]);
}"""

SQUARES = """async (numbers) => {
  const scripts = document.querySelector("script[src*='/js/']").src;
  const { Square } = await import(new URL("../private/geometry.js", scripts));
  return numbers.map(([one, other]) => {
    const [a, b] = [new Square(...one), new Square(...other)];
    const [inside, between] = [a.within(b), a.towards(b, 0.3)];
    const flat = ({ x, y, size, roll }) => [x, y, size, roll];
    return [flat(inside), flat(between), a.distance(b), a.overlap(b), a.corners(), a.box({ width: 300, height: 200 })];
  });
}"""

PREPARED = """async ([text, squares]) => {
  const scripts = document.querySelector("script[src*='/js/']").src;
  const { Square } = await import(new URL("../private/geometry.js", scripts));
  const { cropFace, prepare } = await import(new URL("../private/crops.js", scripts));
  const { toGrey, resize } = await import(new URL("../private/pixels.js", scripts));
  const data = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const picture = { width: 200, height: 150, channels: 4, data };
  const grey = toGrey(picture);
  const faces = squares.map((numbers) => {
    const square = new Square(...numbers);
    return prepare(cropFace(picture, square.corners()));
  });
  return [grey, resize(grey, 0.37), resize(grey, 1.6), ...faces].map(({ data }) => [...data]);
}"""


@pytest.fixture
def page(new_page: Callable[..., Page], live_app: str) -> Page:
    """Return a page whose scripts can be imported."""
    page = new_page()
    page.goto(f"{live_app}about")
    return page


@pytest.fixture(params=["made up", "recorded"])
def rows(request: pytest.FixtureRequest) -> NDArray[np.float64]:
    """Return (n, 7) what a network saw of one person, one frame after the other."""
    if request.param == "made up":
        return recorded(takes=12)[1]
    people = read_rows(request.getfixturevalue("shared") / "resting_face" / "posed.csv")["shipped"]
    return np.repeat(np.asarray(people.of("3").probabilities, np.float64), 5, axis=0)


@pytest.mark.parametrize(("time_constant", "min_confidence"), [(0.25, 0.4), (0.0, 0.0), (1.0, 0.55)])
def test_smoothing(page: Page, rows: NDArray[np.float64], time_constant: float, min_confidence: float) -> None:
    """Averages, the expression that is held, and the confidence from which it is named."""
    times = np.cumsum(np.random.default_rng(3).uniform(0.02, 0.3, len(rows)))
    found = page.evaluate(SMOOTHED, [rows.tolist(), times.tolist(), time_constant, min_confidence])
    smoother = Smoother(time_constant, min_confidence)
    for row, time, (average, shown, threshold) in zip(rows, times, found, strict=True):
        assert average == pytest.approx(smoother.update(row, float(time)), abs=1e-9)
        assert (shown, threshold) == (smoother.shown, pytest.approx(smoother.threshold))


def test_squares(page: Page) -> None:
    """Faces in turned pictures, on their way to others, their corners and boxes."""
    chance = np.random.default_rng(4)
    numbers = chance.uniform([[0, 0, 10, -180]] * 2, [[250, 150, 120, 180]] * 2, (20, 2, 4))
    for (one, other), found in zip(numbers, page.evaluate(SQUARES, numbers.tolist()), strict=True):
        a, b = Square(*one), Square(*other)
        inside, between, distance, overlap, corners, box = found
        assert inside == pytest.approx(_flat(a.within(b)))
        assert between == pytest.approx(_flat(a.towards(b, 0.3)))
        assert (distance, overlap) == pytest.approx((a.distance(b), a.overlap(b)))
        assert np.array(corners) == pytest.approx(np.array(a.corners()))
        known = a.box((200, 300))
        assert box == (known and [known.x, known.y, known.width, known.height])


def _flat(square: Square) -> list[float]:
    return [square.x, square.y, square.size, square.roll]


@pytest.fixture
def picture() -> Image:
    """Return a real face, (150, 200, 3) BGR."""
    portrait = cv2.imread(str(ROOT / "tests" / "data" / "astronaut.png"))
    assert portrait is not None
    return portrait[50:200, 120:320]


def test_faces_as_the_network_takes_them(page: Page, picture: Image) -> None:
    """Grey, resized, cut out, turned upright and made 48 pixels wide: the same pixels, or next to the same."""
    upright, turned = [(60, 10, 100, 0), (70, 20, 40, 0), (-20, -9, 97, 0)], [(60, 10, 100, 20), (70, 20, 40, -35)]
    squares = [*upright, *turned, (150, 90, 80, 10)]
    encoded = cv2.cvtColor(picture, cv2.COLOR_BGR2RGBA).tobytes()
    found = [np.array(pixels) for pixels in page.evaluate(PREPARED, [b64encode(encoded).decode(), squares])]
    grey = to_grey(picture)
    for pixels, expected in zip(found[:3], (grey, resize(grey, 0.37), resize(grey, 1.6)), strict=True):
        assert np.abs(pixels - expected.ravel().astype(int)).max() <= (expected.shape[1] > grey.shape[1])
    for pixels, (x, y, size, roll) in zip(found[3:], squares, strict=True):
        square = Square(x, y, size, roll)
        box = square.box(grey.shape)
        assert box is not None
        face = prepare(crop_face(grey, box, square.corners()))
        difference = np.abs(pixels - face.ravel().astype(int))
        assert difference.max() <= 4
        assert difference.mean() < 0.5
