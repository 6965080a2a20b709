"""The page for pictures: by choice, by drop, by paste; answers to keep; errors that say what to do."""

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import cv2
import numpy as np
import PIL.Image
import pytest
from playwright.sync_api import FilePayload, Page, Request, Route, expect

from config import ROOT
from entities import EXPRESSIONS
from tests.browser.conftest import Mood
from tests.helpers.footage import make_video

EXAMPLE = ROOT / "static" / "images" / "example.jpg"

HAND_OVER = """
async ([kind, address]) => {
  const blob = await (await fetch(address)).blob();
  const data = new DataTransfer();
  data.items.add(new File([blob], "given.jpg", { type: "image/jpeg" }));
  const event = kind === "paste"
    ? new ClipboardEvent("paste", { clipboardData: data, bubbles: true })
    : new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true });
  document.body.dispatchEvent(event);
}
"""


@pytest.fixture
def page(new_page: Callable[..., Page], live_app: str) -> Page:
    """Return the empty page."""
    page = new_page(accept_downloads=True)
    page.goto(f"{live_app}pictures")
    return page


def test_a_chosen_picture_is_answered_with_a_table(page: Page, shoot: Any, check_accessibility: Any) -> None:
    """Each face has a row with its expression and seven probabilities; the picture carries marks."""
    page.set_input_files("#file", EXAMPLE)
    card = page.locator(".picture")
    expect(card).to_have_attribute("data-state", "done")
    expect(card.locator(".picture-summary")).to_have_text("2 faces: 2 Happy")
    rows = card.locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_have_text("1Happy88%2%2%2%2%2%2%")
    shoot(page, "pictures-light-1440")
    check_accessibility(page)


@pytest.mark.parametrize("place", ["On the server", "On this device"])
def test_tiny_pictures_are_answered_in_words(page: Page, place: str) -> None:
    """They have no faces, and the page says why."""
    page.get_by_label(place).check()
    pictures = {f"{side}.png": cv2.imencode(".png", np.full((side, side, 3), 90, np.uint8))[1] for side in (1, 8, 15)}
    files = [FilePayload(name=n, mimeType="image/png", buffer=data.tobytes()) for n, data in pictures.items()]
    page.set_input_files("#file", files)
    expect(page.locator(".picture-summary")).to_have_text(
        [re.compile(f"^No face found.* only {side} x {side} pixels, too few for a face.$") for side in (1, 8, 15)]
    )


def test_a_picture_chosen_before_the_page_is_ready_is_not_lost(page: Page) -> None:
    """Over a slow network the page is there before its script."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/js/pictures/pictures.js", hold)
    with page.expect_request("**/js/pictures/pictures.js"):
        page.reload(wait_until="commit")
    page.set_input_files("#file", EXAMPLE)
    for route in held:
        route.continue_()
    expect(page.locator(".picture-summary")).to_have_text("2 faces: 2 Happy")


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_a_picture_can_be_dropped_or_pasted(page: Page, kind: str) -> None:
    """A file that comes by drag and drop, or from the clipboard, is analysed like a chosen one."""
    page.evaluate(HAND_OVER, [kind, page.locator("#pictures-script").get_attribute("data-example")])
    card = page.locator(".picture")
    expect(card).to_have_attribute("data-state", "done")
    expect(card.locator(".picture-name")).to_have_text("given.jpg")


def test_several_at_once_and_a_file_that_is_no_picture(
    page: Page, tmp_path: Path, shoot: Any, complaints: list[str]
) -> None:
    """Each has a card of its own; one that cannot be read says so and spoils nothing."""
    text = tmp_path / "letter.txt"
    text.write_text("Dear reader,")
    wall = tmp_path / "wall.png"
    cv2.imwrite(str(wall), cv2.blur(cv2.imread(str(EXAMPLE)), (400, 400)))
    page.set_input_files("#file", [EXAMPLE, text, wall])
    expect(page.locator(".picture[data-state=done]")).to_have_count(2)
    failed = page.locator(".video-card[data-state=failed]")
    expect(failed).to_contain_text("not a video that can be read")
    expect(page.locator(".picture").last).to_contain_text("No face found")
    expect(page.locator("#picture-count")).to_have_text("2 pictures, 1 video")
    shoot(page, "pictures-several")
    failed.get_by_role("button", name="Delete letter.txt").click()
    expect(page.locator(".picture")).to_have_count(2)
    page.get_by_role("button", name="Remove all pictures").click()
    expect(page.locator(".picture")).to_have_count(0)
    expect(page.get_by_role("button", name="Choose files")).to_be_focused()
    complaints[:] = [complaint for complaint in complaints if "status of 415" not in complaint]


@pytest.mark.parametrize("ending", ["heic", "tiff", "avif"])
def test_a_picture_that_the_browser_cannot_read_is_shown(page: Page, tmp_path: Path, ending: str) -> None:
    """What phones and scanners make is analysed and shown like any other, and can be saved."""
    path = tmp_path / f"photo.{ending}"
    with PIL.Image.open(EXAMPLE) as example:
        example.save(path)
    page.set_input_files("#file", path)
    card = page.locator(".picture")
    expect(card.locator(".picture-summary")).to_have_text("2 faces: 2 Happy")
    assert card.locator(".picture-canvas").evaluate("canvas => [canvas.width, canvas.height]") == [880, 440]
    with page.expect_download() as download:
        page.get_by_role("button", name="PNG", exact=True).click()
    download.value.save_as(tmp_path / "saved.png")
    saved = cv2.imread(str(tmp_path / "saved.png"))
    assert saved is not None
    assert saved.mean() > 20


def test_a_picture_on_its_side_is_turned(page: Page, tmp_path: Path, shoot: Any) -> None:
    """Where there is a face only when it is turned, it is shown so, and the card says it."""
    path = tmp_path / "side.png"
    upright = cv2.imread(str(ROOT / "tests" / "data" / "grace_hopper.jpg"))
    assert upright is not None
    cv2.imwrite(str(path), cv2.rotate(upright, cv2.ROTATE_90_COUNTERCLOCKWISE))
    page.set_input_files("#file", path)
    card = page.locator(".picture")
    expect(card.locator(".picture-summary")).to_have_text("1 face: Happy. The picture was turned to find the faces.")
    height, width = upright.shape[:2]
    assert card.locator(".picture-canvas").evaluate("canvas => [canvas.width, canvas.height]") == [width, height]
    shoot(page, "pictures-turned")


def test_the_app_decides_what_a_file_is(page: Page, tmp_path: Path) -> None:
    """A video whose kind no browser knows is sent as a video, and a picture called .mp4 as a picture."""
    video = make_video(tmp_path / "clip.ts").rename(tmp_path / "clip.m2ts")
    picture = tmp_path / "picture.mp4"
    picture.write_bytes(EXAMPLE.read_bytes())
    page.set_input_files("#file", [video, picture])
    expect(page.locator(".video-card .video-name")).to_have_text("clip.m2ts")
    expect(page.locator(".picture .picture-summary")).to_have_text("2 faces: 2 Happy")


def test_answers_can_be_kept(page: Page, tmp_path: Path) -> None:
    """The annotated picture in full size, and the faces as JSON and CSV, with the command line's columns."""
    page.get_by_role("button", name="Try an example").click()
    expect(page.locator(".picture")).to_have_attribute("data-state", "done")
    for kind in ("PNG", "JSON", "CSV"):
        with page.expect_download() as download:
            page.get_by_role("button", name=kind, exact=True).click()
        download.value.save_as(tmp_path / f"example.{kind.lower()}")
    picture, original = cv2.imread(str(tmp_path / "example.png")), cv2.imread(str(EXAMPLE))
    assert picture is not None
    assert original is not None
    assert picture.shape == original.shape
    assert (picture != original).any()
    record = json.loads((tmp_path / "example.json").read_text())
    assert (record["name"], record["width"], record["height"]) == ("example.jpg", 880, 440)
    with (tmp_path / "example.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["expression"] for row in rows] == [face["expression"] for face in record["faces"]] == ["Happy"] * 2
    assert set(EXPRESSIONS) <= set(rows[0])


def test_faces_can_be_hidden(page: Page) -> None:
    """The switch redraws the picture with mosaics."""
    page.get_by_role("button", name="Try an example").click()
    canvas = page.locator(".picture-canvas")
    expect(page.locator(".picture")).to_have_attribute("data-state", "done")
    shown = canvas.evaluate("canvas => canvas.toDataURL()")
    page.get_by_label("Blur faces").check()
    assert canvas.evaluate("canvas => canvas.toDataURL()") != shown


def test_a_picture_that_hangs_holds_up_no_other_once_it_is_removed(page: Page) -> None:
    """Its question is given up, and the next picture's turn comes."""
    page.route("**/api/predict", lambda _: None, times=1)
    with page.expect_request("**/api/predict"):
        page.set_input_files("#file", EXAMPLE)
    page.set_input_files("#file", EXAMPLE)
    cards = page.locator(".picture")
    expect(cards.first).to_have_attribute("data-state", "waiting")
    cards.last.get_by_role("button", name="Remove").click()
    expect(cards).to_have_attribute("data-state", "done")


def test_what_cannot_be_read_is_not_to_be_tried_again(page: Page, tmp_path: Path, complaints: list[str]) -> None:
    """The same empty file would fail the same way."""
    empty = tmp_path / "empty.jpg"
    empty.touch()
    page.set_input_files("#file", empty)
    card = page.locator(".picture")
    expect(card.locator(".picture-summary")).to_have_text("The file is empty. Send a picture.")
    expect(card.get_by_role("button", name="Try again")).to_be_hidden()
    complaints[:] = [text for text in complaints if "status of 400" not in text]


def test_a_refusal_that_may_pass_can_be_tried_again(page: Page, complaints: list[str]) -> None:
    """The card has the server's words and a button that asks again."""
    busy = {"error": {"code": "busy", "message": "Too many pictures are being analysed. Try again soon."}}
    page.route("**/api/predict", lambda route: route.fulfill(status=503, json=busy))
    page.set_input_files("#file", EXAMPLE)
    card = page.locator(".picture")
    expect(card.locator(".picture-summary")).to_have_text("Too many pictures are being analysed. Try again soon.")
    page.unroute_all()
    card.get_by_role("button", name="Try again").click()
    expect(card).to_have_attribute("data-state", "done")
    complaints[:] = [text for text in complaints if "status of 503" not in text]


@pytest.mark.parametrize("path", ["pictures", "about", "nothing-here"])
def test_the_other_pages_fit_and_are_accessible(
    page: Page, check_accessibility: Any, shoot: Any, complaints: list[str], path: str
) -> None:
    """Pictures, About and the error page fit all widths, and axe finds nothing serious in them, light or dark."""
    page.goto(page.url.replace("pictures", path))
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        check_accessibility(page)
        for width in (360, 1440, 2560):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            shoot(page, f"{path}-{scheme}-{width}")
    complaints[:] = [complaint for complaint in complaints if "status of 404" not in complaint]


def test_pictures_stay_for_the_session(page: Page) -> None:
    """After a visit to another page they are there again, with their answers, and without asking for them again."""
    page.get_by_role("button", name="Try an example").click()
    card = page.locator(".picture")
    expect(card).to_have_attribute("data-state", "done")
    expect(page.locator("#download-all")).to_be_enabled()
    page.goto(page.url.replace("pictures", "about"))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.go_back()
    page.reload()
    expect(card).to_have_attribute("data-state", "done")
    expect(card.locator("tbody tr")).to_have_count(2)
    assert not [url for url in asked if url.endswith("/api/predict")]


def test_removing_can_be_undone(page: Page) -> None:
    """For some seconds; then it is for good."""
    page.get_by_role("button", name="Try an example").click()
    card = page.locator(".picture")
    expect(card).to_have_attribute("data-state", "done")
    page.get_by_role("button", name="Remove example.jpg").click()
    expect(card).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(card).to_have_attribute("data-state", "done")
    page.get_by_role("button", name="Remove all pictures").click()
    page.reload()
    expect(page.locator("#drop-zone")).to_be_visible()
    expect(card).to_have_count(0)


def test_ten_at_once_keep_their_order_and_come_in_sight(page: Page, tmp_path: Path) -> None:
    """In the order in which they were chosen, above what is there; the way to add more gives room."""
    picture = cv2.resize(cv2.imread(str(EXAMPLE)), (220, 110))
    paths = [tmp_path / f"{i}.png" for i in range(10)]
    for path in paths:
        cv2.imwrite(str(path), picture)
    before = page.locator("#drop-zone").bounding_box()
    page.set_input_files("#file", paths)
    names = page.locator(".picture-name")
    expect(names).to_have_text([path.name for path in paths])
    after, first = page.locator("#drop-zone").bounding_box(), page.locator(".picture").first.bounding_box()
    assert before
    assert after
    assert first
    assert after["height"] < 150 < before["height"]
    assert first["y"] < 700


def test_all_pictures_come_in_one_zip(page: Page, tmp_path: Path) -> None:
    """Annotated pictures, and one table with a row a face that says in which picture it is."""
    page.set_input_files("#file", [EXAMPLE, EXAMPLE])
    expect(page.locator(".picture[data-state=done]")).to_have_count(2)
    with page.expect_download() as download:
        page.get_by_role("button", name="All as ZIP").click()
    download.value.save_as(tmp_path / "all.zip")
    expect(page.get_by_text("Saved expressions")).to_be_visible()
    with ZipFile(tmp_path / "all.zip") as archive:
        assert sorted(archive.namelist()) == ["example (2) annotated.png", "example annotated.png", "faces.csv"]
        rows = list(csv.DictReader(archive.read("faces.csv").decode().splitlines()))
    assert [row["picture"] for row in rows] == ["example", "example", "example (2)", "example (2)"]


def test_a_picture_opens_larger(page: Page, tmp_path: Path, shoot: Any, check_accessibility: Any) -> None:
    """A click fills the window; arrows lead to the others, keys and buttons zoom, Escape leads back."""
    other = tmp_path / "other.jpg"
    other.write_bytes(EXAMPLE.read_bytes())
    page.set_input_files("#file", [EXAMPLE, other])
    expect(page.locator(".picture[data-state=done]")).to_have_count(2)
    page.get_by_role("button", name="Enlarge example.jpg").click()
    lightbox = page.get_by_role("dialog", name="example.jpg")
    expect(lightbox).to_be_visible()
    canvas = page.locator("#lightbox-canvas")
    expect(canvas).to_have_js_property("width", 880)
    scale = "canvas => new DOMMatrix(getComputedStyle(canvas).transform).a"
    page.keyboard.press("+")
    assert canvas.evaluate(scale) > 1
    page.get_by_role("button", name="Zoom out").click()
    assert canvas.evaluate(scale) == 1
    check_accessibility(page)
    shoot(page, "pictures-lightbox")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#lightbox-name")).to_have_text("other.jpg")
    page.get_by_role("button", name="Next picture").click()
    expect(page.locator("#lightbox-name")).to_have_text("example.jpg")
    page.keyboard.press("Escape")
    expect(lightbox).to_be_hidden()


def test_on_this_device_nothing_is_sent(page: Page, tmp_path: Path, mood: Mood, shoot: Any) -> None:
    """Once the visitor has chosen so, pictures are analysed without a request; for videos the card says what to do."""
    mood.expression = "Angry"  # which the server would say
    sent: list[str] = []

    def note(request: Request) -> None:
        if request.method != "GET":
            sent.append(request.url)

    page.on("request", note)
    page.get_by_label("On this device").check()
    expect(page.locator("#place-words")).to_contain_text("Nothing is sent")
    shoot(page, "pictures-on-this-device")
    page.set_input_files("#file", [EXAMPLE, make_video(tmp_path / "clip.mp4")])
    summaries = page.locator(".picture-summary")
    expect(summaries.first).to_have_text("2 faces: 1 Happy, 1 Neutral")
    expect(summaries.last).to_have_text(
        "Videos cannot be analysed on this device. Or choose “On the server”, and add it again."
    )
    with page.expect_download() as download:
        page.get_by_role("button", name="PNG", exact=True).first.click()
    download.value.save_as(tmp_path / "saved.png")
    saved, original = cv2.imread(str(tmp_path / "saved.png")), cv2.imread(str(EXAMPLE))
    assert saved is not None
    assert original is not None
    assert saved.shape == original.shape
    assert (saved != original).any()
    page.reload()
    expect(summaries).to_have_text(["2 faces: 1 Happy, 1 Neutral"])
    assert sent == []
