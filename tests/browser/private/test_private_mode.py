"""Private mode: the visitor's own browser finds the faces and names them, and nothing leaves it."""

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import pytest
from playwright.sync_api import Page, Request, Response, Route, expect

from app import create_app
from config import ROOT, ModelSettings, Settings
from tests.browser.conftest import Mood, serving
from tests.helpers.fake_camera import FakeCamera

NewPage = Callable[..., Page]

SLOW = """async (milliseconds) => {
  const scripts = document.querySelector("script[src*='/js/']").src;
  const { DeviceFrames } = await import(new URL("../private/device-frames.js", scripts));
  const told = [];
  const wait = () => new Promise((resolve) => setTimeout(resolve, milliseconds));
  const engine = { load: async () => {}, reset: async () => {}, next: wait };
  const frames = new DeviceFrames(engine, { slow: (perSecond) => told.push(perSecond) });
  await frames.start();
  for (const end = performance.now() + 2500; performance.now() < end; frames.answered()) {
    await frames.analyse(document.createElement('canvas'));
  }
  return told;
}"""


PILING = """async (milliseconds) => {
  const scripts = document.querySelector("script[src*='/js/']").src;
  const { OwnCamera } = await import(new URL("../camera/own-camera.js", scripts));
  const video = Object.assign(document.createElement("video"), { muted: true });
  const stage = { clear() {}, clearPicture() {}, show() {} };
  let [underWay, most] = [0, 0];
  const ages = [];
  const analyse = async ({ width, height }) => {
    most = Math.max(most, ++underWay);
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    underWay--;
    return { width, height, faces: [] };
  };
  const analyser = { side: 640, start: async () => {}, stop() {}, answered() {}, analyse };
  const camera = new OwnCamera(video, stage, analyser, { state() {}, result: ({ age }) => ages.push(age) });
  camera.start();
  await new Promise((resolve) => setTimeout(resolve, 12 * milliseconds));
  camera.stop();
  return { most, ages };
}"""

TRACKING = """async ([frames, wait]) => {
  const scripts = document.querySelector("script[src*='/js/']").src;
  const { FaceTracker } = await import(new URL("../private/tracking.js", scripts));
  const { Square } = await import(new URL("../private/geometry.js", scripts));
  const at = (x) => ({ face: new Square(x, 100, 80), score: 0.9, yaw: 0, profile: false });
  let seen = [];
  let answer;
  const search = (picture, smallest, known) => {
    const found = seen.filter(({ face }) => known.every((other) => other.distance(face) > 0.5));
    return new Promise((resolve) => { answer = () => resolve(found); if (wait === 0) answer(); });
  };
  const follow = async (_, { face }) => seen.find((other) => other.face.distance(face) < 0.5) ?? null;
  const tracker = new FaceTracker({ follow }, search, 0.04);
  const shown = [];
  let begun = 0;
  for (const [i, { time, places }] of frames.entries()) {
    seen = places.map(at);
    if (answer && i - begun >= wait) answer();
    await new Promise((resolve) => setTimeout(resolve));
    const before = answer;
    const update = tracker.update({ width: 640, height: 480 }, time);
    if (i === 0) setTimeout(() => answer());
    const tracks = await update;
    if (answer !== before) begun = i;
    shown.push(tracks.map(({ id, box: [x] }) => [id, x]));
  }
  return shown;
}"""
"""Follow faces at these places through the frames; each search but the first ends `wait` frames after it began."""

CRASH = """async (told) => {
  const scripts = document.querySelector("script[src*='/js/']").src;
  const { Engine } = await import(new URL("../private/engine.js", scripts));
  const engine = new Engine(JSON.parse(told));
  const frame = () => createImageBitmap(new ImageData(640, 480));
  await engine.load();
  const asked = engine.next(await frame()).catch(({ message }) => message);
  engine.worker.dispatchEvent(new Event("error"));
  await engine.load();
  const answers = [await asked, await engine.next(await frame())];
  engine.close();
  return answers;
}"""


@pytest.fixture(scope="module")
def camera_footage() -> bytes:
    """Let the browser's camera show Eileen Collins, who smiles."""
    picture = cv2.imread(str(ROOT / "tests" / "data" / "astronaut.png"))
    assert picture is not None
    return 30 * cv2.imencode(".jpg", cv2.resize(picture[:384], (640, 480)))[1].tobytes()


@pytest.fixture
def page(new_page: NewPage, live_app: str) -> Page:
    """Return a page whose visitor has chosen the own camera, and not yet started it."""
    page = new_page(accept_downloads=True)
    page.goto(live_app)
    page.get_by_label("My camera", exact=True).check()
    return page


@pytest.fixture
def requests(page: Page) -> list[Request]:
    """Return what the page and its workers have asked for since the test began."""
    asked: list[Request] = []

    def note(request: Request) -> None:
        asked.append(request)

    page.context.on("request", note)
    return asked


def start(page: Page) -> None:
    """Start the camera and wait for the first face."""
    page.get_by_role("button", name="Start my camera").click()
    expect(page.locator(".face-card .expression")).to_have_text("Happy")


def test_nothing_leaves_the_device(page: Page, requests: list[Request], mood: Mood, tmp_path: Path, shoot: Any) -> None:
    """Files are loaded, and no request follows; with the network cut off faces are named, recorded and compared."""
    mood.expression = "Angry"  # which the server would say
    expect(page.get_by_label("On this device")).to_be_checked()
    expect(page.locator("#consent")).to_contain_text("stay on this device")
    expect(page.locator("#place-words")).to_contain_text("Nothing is sent")
    start(page)
    assert requests
    assert all(request.method == "GET" and request.post_data is None for request in requests)
    requests.clear()
    page.context.set_offline(True)
    page.get_by_role("button", name="Record").click()
    expect(page.locator("#record-count")).to_have_text(re.compile(r"^([5-9]|\d\d) frames$"))
    with page.expect_download() as download:
        page.get_by_role("button", name="Stop and save").click()
    download.value.save_as(tmp_path / "recording.csv")
    rows = list(csv.DictReader((tmp_path / "recording.csv").open()))
    assert {row["expression"] for row in rows if row["face"]} == {"Happy"}
    with page.expect_download() as download:
        page.get_by_role("button", name="Snapshot").click()
    download.value.save_as(tmp_path / "snapshot.png")
    snapshot = cv2.imread(str(tmp_path / "snapshot.png"))
    assert snapshot is not None
    assert snapshot.shape[:2] == (480, 640)
    page.get_by_role("button", name="Set resting face").click()
    expect(page.locator(".rest-words")).to_have_text("Compared with your resting face")
    page.get_by_role("button", name="Stop comparing").click()
    expect(page.get_by_role("button", name="Set resting face")).to_be_visible()
    shoot(page, "private-mode")
    assert [request.url for request in requests if not request.url.startswith("blob:")] == []


def test_the_first_visit_is_small(new_page: NewPage, live_app: str) -> None:
    """The page and all that private mode loads have at most 5.8 MB on their way; the next visit asks for little."""
    page = new_page()
    sizes: dict[str, int] = {}

    def note(response: Response) -> None:
        if not response.url.startswith("blob:"):
            sizes[response.url] = int(response.headers.get("content-length", 0))

    page.context.on("response", note)
    page.goto(live_app)
    page.get_by_label("My camera", exact=True).check()
    assert not any("onnx" in address for address in sizes)  # nothing before it is asked for
    start(page)
    assert 4_000_000 < sum(sizes.values()) <= 5_800_000
    again: list[str] = []
    page.context.on("requestfinished", lambda request: _from_network(request, again))
    page.reload()
    page.get_by_label("My camera", exact=True).check()
    start(page)
    assert not any("/static/" in address or "/private/" in address for address in again)


def _from_network(request: Request, addresses: list[str]) -> None:
    if request.sizes()["responseBodySize"] > 0 and request.sizes()["responseHeadersSize"] > 0:
        addresses.append(request.url)


def test_the_server_is_asked_only_where_the_visitor_says_so(page: Page, requests: list[Request], mood: Mood) -> None:
    """Going over to the server asks for consent first, in words; the choice is remembered."""
    mood.expression = "Angry"
    start(page)
    page.get_by_label("On the server").check()
    expect(page.locator("#consent")).to_contain_text("go to the computer that runs this app")
    assert all(request.method == "GET" for request in requests)
    page.get_by_role("button", name="Start my camera").click()
    expect(page.locator(".face-card .expression")).to_have_text("Angry")
    page.reload()
    page.get_by_label("My camera", exact=True).check()
    expect(page.get_by_label("On the server")).to_be_checked()
    page.get_by_label("On this device").check()
    start(page)


def test_the_check_is_made_on_this_device(new_page: NewPage, live_app: str) -> None:
    """The page that checks a face sees it without the server."""
    page = new_page()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    page.goto(f"{live_app}check")
    expect(page.locator("#place-words")).to_contain_text("stay on this device")
    page.get_by_role("button", name="Start my camera").click()
    expect(page.locator("#seen")).to_contain_text("in view")
    assert set(sent) == {"GET"}


def test_files_that_cannot_be_loaded_are_told_with_a_way_on(page: Page) -> None:
    """The page says so; the same button tries again."""
    page.context.route("**/network.onnx.gz", lambda route: route.abort())
    page.get_by_role("button", name="Start my camera").click()
    expect(page.locator("#consent")).to_contain_text("Check the connection")
    page.context.unroute_all()
    start(page)


def test_too_little_memory_is_told_with_a_way_on(page: Page) -> None:
    """Where the worker dies for want of memory, the page says so, and the server can still be chosen."""
    page.context.route(
        "**/private/worker.js",
        lambda route: route.fulfill(content_type="text/javascript", body="throw new RangeError('Out of memory');"),
    )
    page.get_by_role("button", name="Start my camera").click()
    expect(page.locator("#consent")).to_contain_text("memory")
    page.get_by_label("On the server").check()
    start(page)


@pytest.mark.parametrize("missing", ["WebAssembly", "OffscreenCanvas", "DecompressionStream"])
def test_an_old_browser_leaves_it_to_the_server(new_page: NewPage, live_app: str, missing: str) -> None:
    """The switch says why it cannot be thrown."""
    page = new_page()
    page.add_init_script(f"delete globalThis.{missing};")
    page.goto(live_app)
    page.get_by_label("My camera", exact=True).check()
    expect(page.get_by_label("On this device")).to_be_disabled()
    expect(page.get_by_label("On the server")).to_be_checked()
    expect(page.locator("#place-reason")).to_contain_text("too old")


@pytest.fixture
def other_network() -> Iterator[str]:
    """Serve the application with a network that was not made for browsers; give its address."""
    camera = FakeCamera(Mood())
    model = ModelSettings(weights=ROOT / "models" / "fer2013" / "model_weights.h5")
    with serving(create_app(Settings(model=model), camera.as_camera())) as address:
        yield address
        camera.close()


def test_another_network_leaves_it_to_the_server(new_page: NewPage, other_network: str) -> None:
    """What the browser would say could differ from what the server says."""
    page = new_page()
    page.goto(other_network)
    page.get_by_label("My camera", exact=True).check()
    expect(page.get_by_label("On this device")).to_be_disabled()
    expect(page.locator("#place-reason")).to_contain_text("cannot analyse pictures in browsers")


@pytest.mark.parametrize(("milliseconds", "told"), [(20, 0), (250, 1)])
def test_a_slow_device_is_told_once(page: Page, milliseconds: int, told: int) -> None:
    """After the first second it is known whether answers come fast enough."""
    assert len(page.evaluate(SLOW, milliseconds)) == told


def test_a_slow_device_has_the_server_as_usual_at_the_next_visit(page: Page) -> None:
    """Consent for the server is asked for before anything is sent; the visitor may choose otherwise."""
    page.evaluate("localStorage.setItem('slow', 'true')")
    page.reload()
    page.get_by_label("My camera", exact=True).check()
    expect(page.get_by_label("On the server")).to_be_checked()
    expect(page.locator("#consent")).to_contain_text("go to the computer that runs this app")
    page.get_by_label("On this device").check()
    expect(page.locator("#consent")).to_contain_text("stay on this device")


def test_frames_do_not_pile_up(page: Page) -> None:
    """However slow a device is, one frame is analysed at a time, and the newest one is the next: none waits."""
    found = page.evaluate(PILING, 150)
    assert found["most"] == 1
    assert len(found["ages"]) >= 3
    assert median(found["ages"][1:]) < 2 * max(150, min(found["ages"]))


def test_no_frame_waits_for_a_search(page: Page) -> None:
    """The first frame has its face; a second face is shown within 0.3 s, where it is by then, and numbers stay."""
    frames = [{"time": i / 30, "places": [100, 300 + i] if i >= 3 else [100]} for i in range(30)]
    shown = page.evaluate(TRACKING, [frames, 2])
    assert shown[:3] == [[[1, 100]]] * 3
    first = next(i for i, faces in enumerate(shown) if len(faces) == 2)
    assert 3 < first <= 3 + 0.3 * 30
    assert shown[first] == [[1, 100], [2, 300 + first]]
    assert all([number for number, _ in faces] == [1, 2] for faces in shown[first:])


def test_rare_frames_wait_for_their_search(page: Page) -> None:
    """Where a face jumps between two frames, it is marked in each of them."""
    places = [100 + 150 * (i % 3) for i in range(9)]
    frames = [{"time": i / 5, "places": [place]} for i, place in enumerate(places)]
    shown = page.evaluate(TRACKING, [frames, 0])
    assert all(place in [x for _, x in faces] for place, faces in zip(places, shown, strict=True))


def test_a_worker_that_dies_is_replaced(page: Page) -> None:
    """What was asked of it is answered in words; the next question has a worker again."""
    told = page.locator("#live-script").get_attribute("data-private")
    words, answer = page.evaluate(CRASH, told)
    assert "memory" in words
    assert answer == {"width": 640, "height": 480, "faces": []}


def test_threads_where_there_are_processors(page: Page) -> None:
    """The page is isolated, and the runtime may start workers of its own under the page's policy."""

    def on_three_threads(route: Route) -> None:
        answer = route.fetch()
        body = answer.text().replace("navigator.hardwareConcurrency >> 1", "3")
        route.fulfill(response=answer, body=body)

    page.context.route("**/private/network.js", on_three_threads)
    start(page)
    assert page.evaluate("crossOriginIsolated")
    assert len(page.workers) == 4  # two of which are the runtime's, and one searches


def test_two_tabs_each_do_their_own(page: Page) -> None:
    """A second tab of the same browser names faces too, while the first goes on."""
    start(page)
    other = page.context.new_page()
    other.goto(page.url)
    other.get_by_label("My camera", exact=True).check()
    start(other)
    other.close()
    expect(page.locator("#state")).to_have_text("Live")
