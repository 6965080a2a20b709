"""Private mode's engine finds the same faces in a picture as Python does, and says the same of them."""

import json
import re
from base64 import b64encode
from collections.abc import Callable
from html import unescape

import cv2
import pytest
from playwright.sync_api import Page

from app import create_app
from config import ROOT, DetectorSettings, Settings
from entities import EXPRESSIONS, Image
from model import FacialExpressionModel
from pipeline import analyze_any_way_up
from tests.browser.conftest import Mood, serving
from tests.helpers.fake_camera import FakeCamera
from vision.detection import FaceDetector

LOOK = """async ([pictures, told]) => {
  const scripts = document.querySelector("script[src*='/js/']").src;
  const { Engine } = await import(new URL("../private/engine.js", scripts));
  const engine = new Engine(JSON.parse(told));
  const progress = [];
  await engine.load((share) => progress.push(share));
  const answers = [];
  for (const picture of pictures) {
    const bytes = Uint8Array.from(atob(picture), (letter) => letter.charCodeAt(0));
    answers.push(await engine.still(await createImageBitmap(new Blob([bytes]))));
  }
  engine.close();
  return { progress, answers };
}"""


def portraits() -> list[Image]:
    """Return photographs of Eileen Collins and Grace Hopper, the second on its side."""
    pictures = [cv2.imread(str(ROOT / "tests" / "data" / name)) for name in ("astronaut.png", "grace_hopper.jpg")]
    assert pictures[0] is not None
    assert pictures[1] is not None
    return [pictures[0], cv2.rotate(pictures[1], cv2.ROTATE_90_CLOCKWISE)]


def told(page: Page) -> str:
    """Return what the page says about private mode."""
    found = re.search(r'data-private="([^"]*)"', page.content())
    assert found
    return unescape(found.group(1))


def test_same_faces_as_python(new_page: Callable[..., Page]) -> None:
    """Boxes, angles, turns and probabilities are those of the server."""
    settings = Settings(detector=DetectorSettings(kind="yunet"))
    camera = FakeCamera(Mood())
    with serving(create_app(settings, camera.as_camera())) as address:
        page = new_page()
        page.goto(address)
        pictures = [b64encode(cv2.imencode(".png", picture)[1].tobytes()).decode() for picture in portraits()]
        found = page.evaluate(LOOK, [pictures, told(page)])
        camera.close()
    detector, model = FaceDetector(settings.detector), FacialExpressionModel()
    assert found["progress"][-1] == pytest.approx(1, abs=0.01)
    for picture, answer in zip(portraits(), found["answers"], strict=True):
        expected = analyze_any_way_up(picture, detector, model)
        assert answer["turned"] == expected.turned
        assert [answer["height"], answer["width"]] == list(expected.image.shape[:2])
        assert len(answer["faces"]) == len(expected.faces) == 1
        face, known = answer["faces"][0], expected.faces[0]
        box = [known.box.x, known.box.y, known.box.width, known.box.height]
        assert face["box"] == pytest.approx(box, abs=3)
        assert face["expression"] == known.expression
        seen = [face["probabilities"][name] for name in EXPRESSIONS]
        assert seen == pytest.approx(known.probabilities, abs=0.1)
        assert [face["roll"], face["yaw"]] == pytest.approx([known.roll, known.yaw], abs=4)


def test_settings_are_those_of_the_server(new_page: Callable[..., Page], live_app: str) -> None:
    """The page says which files it takes and how faces are judged."""
    page = new_page()
    page.goto(live_app)
    settings = json.loads(told(page))["settings"]
    assert settings == {"min_face": None, "smoothing": 0.25, "min_confidence": 0.4}
