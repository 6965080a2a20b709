"""Videos on the page: sent, queued, analysed by a worker process, played with their timeline, kept and deleted."""

import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import cv2
import pytest
from playwright.sync_api import Page, Route, expect

from analysis.queue.runner import JobRunner
from app import create_app
from config import DEMO_CLIP, Settings, UploadSettings
from entities import Image
from tests.browser.conftest import serving
from tests.helpers.fake_camera import FakeCamera
from tests.helpers.footage import make_video
from tests.helpers.job_worker import ThreadRunner
from web.routes.jobs import _ONE_CHECK
from web.services import EXTENSION


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a second of video with two faces and sound."""

    def frames() -> Iterator[Image]:
        video = cv2.VideoCapture(str(DEMO_CLIP))
        for _ in range(25):
            read, frame = video.read()
            assert read
            yield cv2.resize(frame, (480, 270))

    return make_video(tmp_path_factory.mktemp("clips") / "friends.mp4", frames(), sound="aac")


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Path]:
    """Return a file that holds the worker, a process then, up for as long as it exists; it does not yet."""
    path = tmp_path / "held"
    yield path
    path.unlink(missing_ok=True)


@pytest.fixture
def make_runner(request: pytest.FixtureRequest) -> Callable[[Settings], JobRunner]:
    """Return what makes the runner of the jobs: with a process where the test holds it up."""
    if "held" not in request.fixturenames:
        return ThreadRunner
    command = (sys.executable, "-m", "tests.helpers.job_worker", str(request.getfixturevalue("held")))
    return lambda settings: JobRunner(settings, command)


@pytest.fixture
def serve(make_runner: Callable[[Settings], JobRunner], tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Return a function that starts the application, and ends the one before; the videos stay."""
    with ExitStack() as stack:

        def start() -> str:
            stack.pop_all().close()
            camera = FakeCamera()
            settings = Settings(uploads=UploadSettings(folder=tmp_path / "uploads"))
            app = create_app(settings, camera.as_camera())
            runner = make_runner(settings)
            app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], jobs=runner)
            address = stack.enter_context(serving(app))
            stack.callback(camera.close)
            stack.callback(runner.close)
            runner.wake()
            return address

        yield start


@pytest.fixture
def page(new_page: Callable[..., Page], serve: Callable[[], str]) -> Page:
    """Return the page, without any files yet."""
    page = new_page(accept_downloads=True)
    page.goto(f"{serve()}pictures")
    return page


@pytest.mark.usefixtures("held")  # so that a real worker analyses it
def test_a_video_is_analysed_and_plays_with_its_timeline(
    page: Page, clip: Path, tmp_path: Path, shoot: Any, check_accessibility: Any
) -> None:
    """From the choice of a file to a playing video; chart, keys and moments move it; a click deletes it."""
    page.set_input_files("#file", clip)
    card = page.locator(".video-card")
    expect(card).to_have_attribute("data-state", "done")
    expect(card.locator(".video-name")).to_have_text("friends.mp4")
    expect(card.locator(".video-state")).to_have_text(re.compile(r"^1\.0 s, 480 × 270, 2 faces\. Kept until"))
    expect(card.locator(".timeline-face").first).to_contain_text("Happy 100%")
    shoot(page, "video-done")
    check_accessibility(page)

    timeline, video = card.get_by_role("slider", name="Time in the video"), card.locator("video")
    chart = timeline.locator(".timeline-chart .u-over").first
    expect(video).to_have_js_property("readyState", 4)
    box = chart.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] * 0.6, box["y"] + 10)
    expect(timeline).to_have_attribute("aria-valuenow", "0.6")
    timeline.press("Home")
    expect(timeline).to_have_attribute("aria-valuenow", "0.0")
    for key, time in (("ArrowUp", "1.0"), ("ArrowDown", "0.0"), ("ArrowRight", "1.0"), ("ArrowLeft", "0.0")):
        timeline.press(key)
        expect(timeline).to_have_attribute("aria-valuenow", time)
    card.locator("video").evaluate("video => { video.muted = true; return video.play(); }")
    expect(timeline).not_to_have_attribute("aria-valuenow", "0.0")

    with page.expect_download() as download:
        card.get_by_role("link", name="All as ZIP").click()
    download.value.save_as(tmp_path / "all.zip")
    assert {"annotated.mp4", "frames.csv", "frames.json", "timeline.png"} <= set(
        ZipFile(tmp_path / "all.zip").namelist()
    )

    card.get_by_role("button", name="Delete friends.mp4").click()
    expect(card).to_have_count(0)
    page.reload()
    expect(page.locator("#drop-zone")).to_be_visible()
    expect(card).to_have_count(0)


def test_screen_readers_hear_of_each_face_beside_the_slider(page: Page, clip: Path) -> None:
    """A slider's content is not read out: the charts are all that it holds, and the faces' words are a list."""
    page.set_input_files("#file", clip)
    card = page.locator(".video-card")
    expect(card).to_have_attribute("data-state", "done")
    words = card.get_by_role("list", name="Faces").get_by_role("listitem")
    expect(words).to_have_text([re.compile(r"^Face 1, seen for 1\.0 s"), re.compile(r"^Face 2, seen for 1\.0 s")])
    slider = card.get_by_role("slider", name="Time in the video")
    expect(slider.locator(".timeline-chart")).to_have_count(2)
    expect(slider).to_have_text("")


def test_answers_that_do_not_come_are_asked_for_again(
    page: Page, clip: Path, held: Path, complaints: list[str]
) -> None:
    """A card waits for the next answer after one that fails or never comes: of a new video, and of one from before."""
    held.touch()
    page.add_init_script("AbortSignal.timeout = (timeout => ms => timeout(ms / 20))(AbortSignal.timeout);")
    page.reload()
    mishaps: list[Callable[[Route], None]] = []
    silent: list[Route] = []

    def answer(route: Route) -> None:
        """Let one thing after the other go wrong, and then all go well."""
        (mishaps.pop(0) if mishaps else Route.continue_)(route)

    def unavailable(route: Route) -> None:
        route.fulfill(status=503)

    def silence(route: Route) -> None:
        silent.append(route)

    page.route("**/api/jobs", answer)
    page.route("**/api/jobs/*/files/summary.json", answer)
    card = page.locator(".video-card")
    page.set_input_files("#file", clip)
    expect(card).to_have_attribute("data-state", re.compile("queued|running"))
    mishaps += [unavailable, silence, Route.abort]
    held.unlink()
    expect(card).to_have_attribute("data-state", "done")
    assert mishaps == []
    page.unroute("**/api/jobs")
    mishaps += [unavailable, silence, Route.abort]
    page.reload()
    expect(card).to_have_attribute("data-state", "done")
    assert mishaps == []
    expect(card.locator(".timeline-chart")).to_have_count(2)
    for route in silent:
        route.abort()
    assert sum("status of 503" in text for text in complaints) == 2
    complaints[:] = [text for text in complaints if "status of 503" not in text]


def test_the_first_answers_may_fail(page: Page, clip: Path) -> None:
    """Videos from before come once the server answers, each once; what is chosen meanwhile waits and is kept."""
    page.set_input_files("#file", clip)
    cards = page.locator(".video-card")
    expect(cards).to_have_attribute("data-state", "done")
    silent = threading.Event()
    silent.set()
    page.route("**/api/jobs", lambda route: route.abort() if silent.is_set() else route.continue_())
    page.reload()
    page.set_input_files("#file", clip)
    expect(cards).to_have_attribute("data-state", "waiting")
    silent.clear()
    done = page.locator(".video-card[data-state=done]")
    expect(done).to_have_count(2)
    page.reload()
    expect(done).to_have_count(2)


def test_a_late_answer_undoes_nothing(page: Page, clip: Path, held: Path) -> None:
    """Two looks at the list may be answered in the other order; results that are there stay, once."""
    late_looks: list[Route] = []

    def hold_first_look(route: Route) -> None:
        if route.request.method == "GET" and not late_looks:
            late_looks.append(route)
        else:
            route.continue_()

    held.touch()
    page.set_input_files("#file", clip)
    expect(page.locator(".video-card")).to_have_attribute("data-state", re.compile("queued|running"))
    late = page.evaluate("fetch('/api/jobs').then((answer) => answer.text())")
    held.unlink()
    with page.expect_request("**/api/jobs"):
        page.route("**/api/jobs", hold_first_look)
    page.set_input_files("#file", clip)
    done = page.locator(".video-card[data-state=done]")
    expect(done).to_have_count(2)
    with page.expect_event("requestfinished"):
        late_looks[0].fulfill(body=late, content_type="application/json")
    page.evaluate("new Promise(requestAnimationFrame)")
    expect(done).to_have_count(2)
    expect(page.locator(".timeline-chart")).to_have_count(4)


def test_a_video_deleted_while_it_is_checked_leaves_nothing(page: Page, clip: Path) -> None:
    """The server has all of it, but has not answered yet; the job that comes of it goes as well."""
    with page.expect_response(lambda response: response.request.method == "DELETE") as deleted, _ONE_CHECK:
        page.set_input_files("#file", clip)
        expect(page.locator(".video-card")).to_contain_text("Checking the video")
        page.get_by_role("button", name="Cancel friends.mp4").click()
    assert deleted.value.status == 204
    assert page.evaluate("fetch('/api/jobs').then((answer) => answer.json())")["jobs"] == []


def test_a_check_that_never_ends_is_given_up(page: Page, clip: Path) -> None:
    """The card says that the app does not answer; the next video's turn comes."""
    page.clock.install()
    cards = page.locator(".video-card")
    with _ONE_CHECK:
        page.set_input_files("#file", clip)
        expect(cards).to_contain_text("Checking the video")
        page.clock.fast_forward(61_000)
        expect(cards).to_contain_text("Can’t reach the app")
    page.set_input_files("#file", clip)
    expect(cards.first).to_have_attribute("data-state", "done")


def test_the_keyboard_keeps_its_place_when_videos_are_deleted(
    page: Page, clip: Path, held: Path, tmp_path: Path
) -> None:
    """The focus goes from a deleted video to its neighbour's button, and from the last one to the choice of files."""
    held.touch()
    other = tmp_path / "other.mp4"
    other.write_bytes(clip.read_bytes())
    page.set_input_files("#file", [clip, other])
    page.get_by_role("button", name="Cancel other.mp4").press("Enter")
    remaining = page.get_by_role("button", name="Cancel friends.mp4")
    expect(remaining).to_be_focused()
    remaining.press("Enter")
    expect(page.get_by_role("button", name="Choose files")).to_be_focused()
    expect(page.locator(".video-card")).to_have_count(0)


def test_videos_wait_in_order_and_one_under_way_can_be_stopped(
    page: Page, clip: Path, held: Path, tmp_path: Path, shoot: Any
) -> None:
    """The second waits for the first; deleting the first stops it, and the second is done."""
    held.touch()
    other = tmp_path / "other.mp4"
    other.write_bytes(clip.read_bytes())
    page.set_input_files("#file", [clip, other])
    first, second = (page.locator(".video-card", has_text=name) for name in ("friends.mp4", "other.mp4"))
    expect(first).to_have_attribute("data-state", "running")
    expect(second.locator(".video-state")).to_have_text(re.compile("^Waiting, 1 video ahead, ready in "))
    shoot(page, "video-queue")
    first.get_by_role("button", name="Cancel friends.mp4").click()
    expect(first).to_have_count(0)
    held.unlink()
    expect(second).to_have_attribute("data-state", "done")


def test_a_restart_of_the_server_loses_no_video(page: Page, clip: Path, held: Path, serve: Callable[[], str]) -> None:
    """A video that was being analysed when the server stopped is done after its next start, for the same visitor."""
    held.touch()
    page.set_input_files("#file", clip)
    expect(page.locator(".video-card")).to_have_attribute("data-state", "running")
    address = serve()
    held.unlink()
    page.goto(f"{address}pictures")
    expect(page.locator(".video-card")).to_have_attribute("data-state", "done")


def test_a_file_that_is_no_video_is_refused_in_words(page: Page, tmp_path: Path, complaints: list[str]) -> None:
    """What only calls itself a video gets a card that says what is wrong."""
    path = tmp_path / "broken.mp4"
    path.write_bytes(b"no video at all" * 100)
    page.set_input_files("#file", path)
    card = page.locator(".video-card")
    expect(card).to_have_attribute("data-state", "failed")
    assert len(card.locator(".video-state").text_content() or "") > 20
    card.get_by_role("button", name="Delete broken.mp4").click()
    expect(card).to_have_count(0)
    complaints[:] = [text for text in complaints if "status of 4" not in text]


def test_another_visitor_sees_nothing_of_it(page: Page, clip: Path, new_page: Callable[..., Page]) -> None:
    """Videos are shown to the browser that sent them."""
    page.set_input_files("#file", clip)
    expect(page.locator(".video-card")).to_have_attribute("data-state", "done")
    other = new_page()
    with other.expect_response("**/api/jobs") as response:
        other.goto(page.url)
    assert response.value.json()["jobs"] == []
    expect(other.locator(".video-card")).to_have_count(0)


def test_results_fit_a_phone(page: Page, clip: Path, tmp_path: Path, shoot: Any) -> None:
    """At 360 pixels nothing overflows or is squeezed, however long the video's name is."""
    long = tmp_path / f"{'friends ' * 20}.mp4"
    long.write_bytes(clip.read_bytes())
    page.set_viewport_size({"width": 360, "height": 780})
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    page.set_input_files("#file", long)
    expect(page.locator(".video-card")).to_have_attribute("data-state", "done")
    expect(page.locator(".moment")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.locator(".video-remove").evaluate("button => button.offsetWidth") > 80
    page.locator(".video-card").scroll_into_view_if_needed()
    shoot(page, "video-dark-360")


@pytest.mark.parametrize(("width", "height"), [(1440, 700), (390, 740)])
def test_the_video_stays_in_sight_of_many_charts(page: Page, clip: Path, width: int, height: int, shoot: Any) -> None:
    """From five faces on, charts are low, and while they scroll, the video stays above or beside them."""
    people = 9

    def crowded(route: Route) -> None:
        summary = route.fetch().json()
        (first, *_), (shares, *_) = summary["faces"], summary["timeline"]["faces"]
        summary["faces"] = [first | {"id": i + 1} for i in range(people)]
        summary["timeline"]["faces"] = [shares | {"id": i + 1} for i in range(people)]
        route.fulfill(json=summary)

    page.route("**/summary.json*", crowded)
    page.set_viewport_size({"width": width, "height": height})
    page.set_input_files("#file", clip)
    charts = page.locator(".timeline-chart")
    expect(charts).to_have_count(people)
    player = page.locator(".video-player")
    expect(player).to_have_js_property("readyState", 4)
    tall = charts.first.bounding_box()
    assert tall
    assert tall["height"] < 60
    for chart in charts.all()[people // 2 :]:
        chart.evaluate("chart => chart.scrollIntoView({ block: 'center' })")
        seen, video = chart.bounding_box(), player.bounding_box()
        assert seen
        assert video
        assert video["y"] >= 0
        assert video["y"] + video["height"] <= height
        assert video["x"] + video["width"] <= seen["x"] or video["y"] + video["height"] <= seen["y"]
    shoot(page, f"video-many-{width}")


def test_faces_are_named_and_it_can_be_undone(page: Page, clip: Path, shoot: Any, check_accessibility: Any) -> None:
    """A name is on chart, table and moments at once; undo takes it back."""
    page.set_input_files("#file", clip)
    card = page.locator(".video-card")
    expect(card).to_have_attribute("data-state", "done")
    expect(card.locator(".timeline-face .face-cut")).to_have_count(2)
    page.get_by_role("button", name="Edit Face 1: name it, merge or split").click()
    dialog = page.get_by_role("dialog", name="Face 1")
    check_accessibility(page)
    shoot(page, "video-face-dialog")
    dialog.get_by_label("Name").fill("Anna")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    expect(card.locator(".timeline-face").first).to_contain_text("Anna, seen for 1.0 s")
    expect(card.locator(".timeline-rows th").first).to_have_text("Anna")
    page.get_by_role("button", name="Undo").click()
    expect(card.locator(".timeline-face").first).to_contain_text("Face 1, seen for 1.0 s")
    page.get_by_role("button", name="Edit Face 1: name it, merge or split").click()
    undo = dialog.get_by_role("button", name="Undo the last change")
    expect(undo).to_be_hidden()
    dialog.get_by_label("Name").fill("Bea")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    page.reload()  # long after the message with its button
    page.get_by_role("button", name="Edit Bea: name it, merge or split").click()
    page.get_by_role("dialog", name="Bea").get_by_role("button", name="Undo the last change").click()
    expect(card.locator(".timeline-face").first).to_contain_text("Face 1, seen for 1.0 s")


def test_intervals_are_a_table_and_a_track_that_follow_names(page: Page, clip: Path, shoot: Any) -> None:
    """Rows go to their moment; subtitles say the same; both follow when a face gets a name, and can be downloaded."""
    page.set_input_files("#file", clip)
    card = page.locator(".video-card")
    expect(card).to_have_attribute("data-state", "done")
    card.locator(".video-intervals summary").click()
    table = card.get_by_role("region", name="Intervals")
    expect(table.locator("tbody tr")).to_have_count(2)
    expect(table.locator("tbody tr").first).to_contain_text("Happy")
    card.locator("video").evaluate("video => { video.currentTime = 0.8; }")
    table.get_by_role("button", name=re.compile("^Go to")).first.click()
    expect(card.get_by_role("slider", name="Time in the video")).to_have_attribute("aria-valuenow", "0.0")
    card.locator("video").evaluate("video => { video.textTracks[0].mode = 'showing'; }")
    cues = """video => [...(video.textTracks[0].cues ?? [])].map(cue => cue.text).sort().join("; ")"""
    page.wait_for_function(f"() => ({cues})(document.querySelector('video')).startsWith('Face 1: Happy')")
    shoot(page, "video-intervals")
    card.get_by_role("button", name=re.compile("Edit Face 1")).click()
    page.locator("#face-dialog").get_by_role("textbox").fill("Anna")
    page.locator("#face-dialog").get_by_role("button", name="Save").click()
    expect(table.locator("tbody")).to_contain_text("Anna")
    page.wait_for_function(f"() => ({cues})(document.querySelector('video')).startsWith('Anna: Happy')")
    assert card.locator("video").evaluate("video => [video.textTracks.length, video.textTracks[0].mode]") == [
        1,
        "showing",
    ]
    for name in ("Parquet", "ELAN", "Subtitles", "Intervals as CSV"):
        with page.expect_download() as download:
            card.get_by_role("link", name=name, exact=True).click()
        assert download.value.path().stat().st_size > 100


def test_faces_in_view_together_cannot_be_merged(page: Page, clip: Path, complaints: list[str]) -> None:
    """The dialog says why."""
    page.set_input_files("#file", clip)
    expect(page.locator(".video-card")).to_have_attribute("data-state", "done")
    page.get_by_role("button", name="Edit Face 1: name it, merge or split").click()
    page.get_by_role("button", name="Merge", exact=True).click()
    expect(page.locator("#face-error")).to_contain_text("in view at the same time")
    complaints[:] = [text for text in complaints if "status of 409" not in text]


def test_charts_read_and_zoom_and_lead_to_the_moment(page: Page, clip: Path) -> None:
    """By pointer and by keys: values under it, a part of the time, and the table of the chosen moment."""
    page.set_input_files("#file", clip)
    card = page.locator(".video-card")
    expect(card).to_have_attribute("data-state", "done")
    expect(card.locator(".legend li")).to_have_count(7)
    over = card.locator(".timeline-chart .u-over").first
    box = over.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    expect(card.locator(".timeline-reading")).to_have_text(re.compile(r"^0:00\.\d: Happy \d+%"))
    page.mouse.click(box["x"] + box["width"] * 0.55, box["y"] + 20)
    expect(card.locator(".timeline-moment")).to_have_text("At 0:00.5")
    expect(card.locator(".timeline-rows tr").first).to_contain_text("Happy")
    head = card.locator(".playhead").first
    left = head.evaluate("head => parseFloat(head.style.left)")
    card.get_by_role("button", name="Zoom in").click()
    card.get_by_role("slider").press("ArrowLeft")
    assert head.evaluate("head => parseFloat(head.style.left)") < 0 < left
    card.get_by_role("slider").press("Escape")
    expect(head).to_have_attribute("style", re.compile(r"left: 0px"))


def test_deleting_can_be_undone(page: Page, clip: Path) -> None:
    """For some seconds the video is only out of sight."""
    page.set_input_files("#file", clip)
    card = page.locator(".video-card")
    expect(card).to_have_attribute("data-state", "done")
    page.get_by_role("button", name="Delete friends.mp4").click()
    expect(card).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(card).to_have_attribute("data-state", "done")
    assert len(page.evaluate("fetch('/api/jobs').then((answer) => answer.json())")["jobs"]) == 1


def test_a_video_is_blurred_where_the_switch_says_so(page: Page, clip: Path) -> None:
    """The switch counts for videos that are added after it."""
    page.get_by_label("Blur faces").check()
    page.set_input_files("#file", clip)
    expect(page.locator(".video-state")).to_contain_text("faces blurred")


def test_all_videos_are_in_one_report(
    page: Page, new_page: Callable[..., Page], clip: Path, tmp_path: Path, shoot: Any
) -> None:
    """Each has its row, with the names that its faces have now; the file opens from disk, offline."""
    button = page.get_by_role("button", name="Report on all videos")
    expect(button).to_be_hidden()
    page.set_input_files("#file", [clip, clip])
    done = page.locator(".video-card[data-state=done]")
    expect(done).to_have_count(2)
    done.first.get_by_role("button", name="Edit Face 1: name it, merge or split").click()
    page.get_by_role("textbox", name="Name").fill("Anna")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(done.first.locator(".timeline-face").first).to_contain_text("Anna")
    for width in (1440, 360):
        page.set_viewport_size({"width": width, "height": 900})
        page.locator("#picture-tools").scroll_into_view_if_needed()
        shoot(page, f"video-report-{width}")
    with page.expect_download() as download:
        button.click()
    download.value.save_as(tmp_path / "report.html")
    expect(page.locator("#toasts")).to_contain_text(f"Saved {download.value.suggested_filename}")
    report = new_page(offline=True)
    report.goto((tmp_path / "report.html").as_uri())
    expect(report.get_by_role("heading", level=1)).to_have_text("Facial expressions in 2 videos")
    expect(report.locator("#files tbody th")).to_have_text(["friends.mp4", "friends.mp4 (2)"])
    expect(report.get_by_role("img", name="Anna", exact=True)).to_have_count(1)
    expect(report.get_by_role("img", name="Face 1", exact=True)).to_have_count(1)
    shoot(report, "videos-report")


def test_a_part_is_analysed_where_the_options_say_so(
    page: Page, clip: Path, shoot: Any, check_accessibility: Any
) -> None:
    """Rate, part and rest count for what is added next; a mistake is told before anything is sent, and mended."""
    options, card = page.locator("#video-options"), page.locator(".video-card")
    expect(page.get_by_label("Frames")).to_be_hidden()
    options.locator("summary").click()
    page.get_by_label("Frames").select_option("10")
    page.get_by_label("From").fill("0:00.2")
    page.get_by_label("To", exact=True).fill("0:00.1")
    expect(page.get_by_role("alert").filter(has_text="later than")).to_be_visible()
    expect(page.get_by_label("To", exact=True)).to_have_attribute("aria-invalid", "true")
    check_accessibility(page)
    page.set_input_files("#file", clip)
    expect(card.locator(".video-state")).to_have_text("“To” must be later than “From”.")
    page.get_by_label("To", exact=True).fill("0.8")
    page.get_by_label("Resting face").select_option("time")
    page.get_by_label("At rest").fill("0.2-0.5")
    shoot(page, "video-options")
    card.get_by_role("button", name="Try again").click()
    expect(card).to_have_attribute("data-state", "done")
    expect(card.locator(".video-state")).to_contain_text("From 0:00.2 to 0:00.8, 480 × 270")
    expect(card.locator(".video-state")).to_contain_text("10 frames a second. Compared with resting faces.")
    slider = card.get_by_role("slider", name="Time in the video")
    for key, time in (("Home", "0.2"), ("End", "0.8")):
        slider.press(key)
        expect(slider).to_have_attribute("aria-valuenow", time)
    options.locator("summary").click()
    expect(options.locator("summary")).to_contain_text("10 frames a second, from 0:00.2, to 0.8")
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    for width in (1440, 360):
        page.set_viewport_size({"width": width, "height": 900})
        shoot(page, f"video-part-dark-{width}")
        options.locator("summary").click()
        shoot(page, f"video-options-dark-{width}")
        options.locator("summary").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_speed_of_the_player_can_be_chosen(page: Page, clip: Path) -> None:
    """From a quarter to twice."""
    page.set_input_files("#file", clip)
    card = page.locator(".video-card")
    expect(card).to_have_attribute("data-state", "done")
    card.get_by_label("Speed").select_option("0.5")
    expect(card.locator("video")).to_have_js_property("playbackRate", 0.5)
