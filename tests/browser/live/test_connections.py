"""One request or stream that fails costs nothing but itself."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.browser.live.collecting_proxy import collecting_proxy

FAILED_REQUEST = """async () => {
  const scripts = document.querySelector("script[src*='/js/']").src;
  const { ServerFrames } = await import(new URL("../camera/server-frames.js", scripts));
  globalThis.frames_ = new ServerFrames({ frame: "/frame", rest: "/rest" });
  await frames_.start();
  globalThis.fetch = () => Promise.reject(new TypeError("no network"));
  return frames_.analyse(document.createElement("canvas")).catch(({ name }) => name);
}"""
NEXT_REQUEST = """() => new Promise((asked) => {
  globalThis.fetch = (_, { signal }) => new Promise((respond, reject) => {
    globalThis.answer = () => respond(Response.json({ faces: [] }));
    signal.addEventListener("abort", () => reject(signal.reason));
    asked();
  });
  globalThis.next_ = frames_.analyse(document.createElement("canvas")).then(() => "answered", ({ name }) => name);
})"""
REFUSED_STREAM = """async () => {
  const scripts = document.querySelector("script[src*='/js/']").src;
  const { LiveStream } = await import(new URL("../live/live-stream.js", scripts));
  const heard = [];
  const on = { picture() {}, status() {}, lost: () => heard.push("lost"), refused: (words) => heard.push(words) };
  const part = (type, body) =>
    `--frame\\r\\nContent-Type: ${type}\\r\\nContent-Length: ${body.length}\\r\\n\\r\\n${body}\\r\\n`;
  const frame = part("application/json", '{"frame":{"sent":1}}') + part("image/jpeg", "no picture");
  const endless = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode(frame)) });
  const refusal = Response.json({ error: { message: "The limit has been reached." } }, { status: 503 });
  const answers = [new Response(endless), refusal];
  const all = new Promise((resolve) => {
    globalThis.fetch = async () => {
      if (answers.length === 1) setTimeout(resolve, 0);
      return answers.shift();
    };
  });
  const stream = new LiveStream("/live", { set() {}, since: () => 1 }, on);
  stream.control = { begin() {}, arrived: () => "more" }; // there is room for a better stream beside the first
  stream.start();
  await all;
  while (!heard.length && stream.open.size > 1) await new Promise(requestAnimationFrame); // the refusal is being read
  const open = stream.open.size;
  stream.stop();
  return { heard, open };
}"""


def test_a_failed_picture_does_not_end_the_next_one(new_page: Callable[..., Page], live_app: str) -> None:
    """The time that the first one had runs out while the next is under way, which is answered all the same."""
    page = new_page()
    page.clock.install()
    page.goto(f"{live_app}about")
    assert page.evaluate(FAILED_REQUEST) == "TypeError"
    page.clock.run_for(5_000)
    page.evaluate(NEXT_REQUEST)
    page.clock.run_for(6_000)
    page.evaluate("answer()")
    assert page.evaluate("next_") == "answered"


def test_a_second_stream_that_is_refused_leaves_the_first_alone(new_page: Callable[..., Page], live_app: str) -> None:
    """Where there is room for one viewer more no longer, the stream that runs goes on, and nothing covers it."""
    page = new_page()
    page.goto(f"{live_app}about")
    assert page.evaluate(REFUSED_STREAM) == {"heard": [], "open": 1}


@pytest.mark.parametrize(("name", "path"), [("a.png", "api/predict"), ("a.mp4", "api/jobs?*")])
def test_leaving_asks_while_a_file_is_under_way(
    new_page: Callable[..., Page], staged: SimpleNamespace, name: str, path: str
) -> None:
    """What the app does not have yet would be lost with the page."""
    asked: list[str] = []

    def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page = new_page()
    page.on("dialog", leave)
    page.route(
        "**/api/kind", lambda route: route.fulfill(json={"kind": "picture" if name.endswith("png") else "video"})
    )
    page.goto(f"{staged.address}pictures")
    page.get_by_role("heading", name="Pictures and videos").click()  # browsers ask for those only who did something
    with page.expect_request(f"**/{path}"):
        page.route(f"**/{path}", lambda route: None if route.request.method == "POST" else route.continue_())
        page.set_input_files("#file", {"name": name, "mimeType": "application/octet-stream", "buffer": b"half"})
    page.reload()
    assert asked == ["beforeunload"]


def test_a_proxy_that_holds_back_streams_passes_single_pictures(
    new_page: Callable[..., Page], staged: SimpleNamespace
) -> None:
    """After two attempts without a word, pictures come one by one, and the page says why they are few."""
    staged.camera.publish()
    page = new_page()
    page.clock.install()
    with collecting_proxy(staged.address) as address:
        for attempt in range(2):
            with page.expect_request("**/api/live?*"):
                page.goto(address) if attempt == 0 else page.clock.fast_forward(4_100)
        with page.expect_response("**/api/live?*single=1"):
            page.clock.fast_forward(4_100)
        expect(page.locator("#state")).to_have_text("Live")
        expect(page.locator("#reason")).to_contain_text("a proxy or virus scanner")
        for index in range(1, 3):
            staged.camera.publish()
            with page.expect_response("**/api/live?*single=1"):
                page.clock.run_for(300)
            expect(page.locator("#video")).to_have_attribute("data-frames", str(index + 1))
            with page.expect_response("**/api/live?*single=1"):
                page.clock.run_for(300)
        expect(page.locator("#video")).to_have_attribute("data-frames", "3")  # each is drawn once
