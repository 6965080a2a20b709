"""The HTTP API for programs: what it answers, and how it refuses."""

import base64
import io
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import cv2
import numpy as np
import PIL.Image
import pytest
from flask.testing import FlaskClient

from entities import EXPRESSIONS, SourceState, SourceStatus
from pipeline import ExpressionPipeline
from tests.helpers.fake_camera import FakeCamera
from web.access.limiter import AT_A_TIME, Limiter
from web.services import EXTENSION
from web.streams import VisitorStreams


class Explaining:
    """A classifier that also says where it looked: at the left half."""

    def predict(self, faces):
        """Return one row a face."""
        return np.tile(np.eye(7, dtype=np.float32)[3], (len(faces), 1))

    def explain(self, face):
        """Return a heat map of the face's shape."""
        heat = np.zeros(face.shape, np.float32)
        heat[:, : face.shape[1] // 2] = 1
        return heat


def encoded(image, kind: str = "JPEG", **options) -> bytes:
    """Return a BGR picture as a file."""
    file = io.BytesIO()
    PIL.Image.fromarray(np.ascontiguousarray(image[..., ::-1])).save(file, kind, **options)
    return file.getvalue()


def decoded(data: bytes):
    """Return the pixels of a picture file, BGR or grey."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert image is not None
    return image


def send(client: FlaskClient, data: bytes, path: str = "/api/predict", name: str = "photo.jpg"):
    """Upload a picture."""
    return client.post(path, data={"image": (io.BytesIO(data), name)})


def problem(response) -> str:
    """Return an error's code, having checked that it is one."""
    assert response.status_code >= 400
    assert response.content_type == "application/json"
    assert response.json.keys() == {"error"}
    assert len(response.json["error"]["message"]) > 10
    return response.json["error"]["code"]


def bomb(width: int = 20_000, height: int = 20_000) -> bytes:
    """Return a PNG of about a kilobyte that claims a huge size."""
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x00\x00\x00\x00"
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1_000_000)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big") for kind, data in chunks
    )


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP"])
def test_predict_finds_the_face(client: FlaskClient, portrait, kind: str):
    """A photograph in any of the formats, told by content whatever its name, gives one face where it is."""
    image, expected = portrait
    answer = send(client, encoded(image, kind), name="a.txt").json
    assert (answer["width"], answer["height"]) == (image.shape[1], image.shape[0])
    (face,) = answer["faces"]
    x, y, width, height = face["box"]
    assert abs(x + width / 2 - expected.x - expected.width / 2) < 40
    assert abs(y + height / 2 - expected.y - expected.height / 2) < 40
    assert face["expression"] == "Happy"
    assert face["confidence"] == pytest.approx(0.8, abs=1e-3)
    assert list(face["probabilities"]) == list(EXPRESSIONS)
    assert sum(face["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    assert "heat_map" not in face


def test_predict_honours_the_orientation(client: FlaskClient, portrait):
    """A photograph that a phone stored on its side is turned upright first."""
    image, _ = portrait
    exif = PIL.Image.Exif()
    exif[0x0112] = 6  # show it turned by 90 degrees clockwise
    answer = send(client, encoded(np.rot90(image), exif=exif)).json
    assert (answer["width"], answer["height"]) == (image.shape[1], image.shape[0])
    assert len(answer["faces"]) == 1


def test_predict_without_a_face(client: FlaskClient):
    """An empty picture is no error; it has no faces."""
    answer = send(client, encoded(np.full((80, 100, 3), 128, np.uint8)))
    assert answer.json == {"width": 100, "height": 80, "turned": 0, "note": "", "faces": []}


@pytest.mark.parametrize("path", ["predict?explain=1", "annotate"])
@pytest.mark.parametrize(("width", "height"), [(1, 1), (8, 8), (15, 15), (15, 300)])
def test_a_tiny_picture_is_answered_in_words(client: FlaskClient, path: str, width: int, height: int):
    """It has no faces, and the answer says why; drawn in, it is as it was."""
    answer = send(client, encoded(np.full((height, width, 3), 128, np.uint8)), f"/api/{path}")
    if path == "annotate":
        assert PIL.Image.open(io.BytesIO(answer.data)).size == (width, height)
    else:
        note = f"The picture has only {width} x {height} pixels, too few for a face."
        assert answer.json == {"width": width, "height": height, "turned": 0, "note": note, "faces": []}


def test_predict_explains(client: FlaskClient, camera: FakeCamera, portrait):
    """?explain=1 adds a grey PNG of the face's size that is bright where the model looked."""
    camera.classifier = Explaining()
    (face,) = send(client, encoded(portrait[0]), "/api/predict?explain=1").json["faces"]
    heat = decoded(base64.b64decode(face["heat_map"]))
    assert heat.shape == (face["box"][3], face["box"][2])
    inside = heat[10:-10, 10:-10]  # the face is turned a little, its box is not
    assert inside[:, 0].min() > 200
    assert inside[:, -1].max() == 0


def test_a_model_that_cannot_explain_says_so(client: FlaskClient, portrait):
    """Asking for what the model cannot do is answered in words."""
    assert problem(send(client, encoded(portrait[0]), "/api/predict?explain=1")) == "not_explained"


def test_annotate_returns_the_picture(client: FlaskClient, portrait):
    """The answer is a JPEG of the same size that differs around the face; blur hides the face."""
    image, box = portrait
    pictures = {}
    for query in ("", "?labels=0", "?blur=1"):
        answer = send(client, encoded(image, "PNG"), f"/api/annotate{query}")
        assert answer.content_type == "image/jpeg"
        pictures[query] = decoded(answer.data)
        assert pictures[query].shape == image.shape
    assert np.abs(pictures[""].astype(int) - pictures["?labels=0"]).max() > 60
    face, blurred = (box.crop(p).astype(int) for p in (image, pictures["?blur=1"]))
    assert np.abs(face - blurred).mean() > 8


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 400, "image_empty"),
        (b"This is no picture.", 415, "unsupported_image"),
        (b"GIF89a" + bytes(100), 415, "unsupported_image"),
        (b"\xff\xd8\xff\xe0" + bytes(200), None, None),
        (bomb(), 413, "image_too_large"),
        (bomb(8_000, 8_000), 413, "image_too_large"),
    ],
    ids=["empty", "text", "gif", "garbage", "bomb", "large"],
)
@pytest.mark.parametrize("path", ["/api/predict", "/api/annotate"])
def test_bad_pictures_are_refused(client: FlaskClient, path: str, data: bytes, status: int | None, code: str | None):
    """What is no picture, or too large a one, is refused with the reason."""
    answer = send(client, data, path)
    found = problem(answer)
    assert answer.status_code in ({status} if status else {415, 422})
    assert found in ({code} if code else {"unsupported_image", "broken_image"})


def test_a_truncated_picture_is_refused(client: FlaskClient, portrait):
    """Half a file is refused rather than shown half grey."""
    data = encoded(portrait[0])
    assert problem(send(client, data[: len(data) // 2])) == "broken_image"


def test_a_large_file_is_refused(client: FlaskClient):
    """More bytes than the limit are refused, whether a little more or far more."""
    for size in (1_000_001, 5_000_000):
        answer = send(client, bytes(size))
        assert problem(answer) == "image_too_large"
        assert "1 MB allowed" in answer.get_json()["error"]["message"]
        assert answer.status_code == 413


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [
        ({}, 415, "multipart_required"),
        ({"data": b"\xff\xd8", "content_type": "image/jpeg"}, 415, "multipart_required"),
        ({"json": {"image": "x"}}, 415, "multipart_required"),
        ({"data": {"picture": (io.BytesIO(b"x"), "a.jpg")}}, 400, "image_missing"),
        ({"data": {"image": "text"}, "content_type": "multipart/form-data"}, 400, "image_missing"),
        ({"data": b"garbage", "content_type": "multipart/form-data; boundary=x"}, 400, "image_missing"),
        ({"data": b"garbage", "content_type": "multipart/form-data"}, 400, "image_missing"),
    ],
    ids=["nothing", "raw", "json", "other field", "no file", "no parts", "no boundary"],
)
def test_what_is_no_upload_is_refused(client: FlaskClient, options, status: int, code: str):
    """A request without a file in the field says how to send one."""
    answer = client.post("/api/predict", **options)
    assert problem(answer) == code
    assert answer.status_code == status


def test_flags_are_checked(client: FlaskClient, portrait):
    """?explain=maybe is an error, not a guess."""
    assert problem(send(client, encoded(portrait[0]), "/api/predict?explain=maybe")) == "bad_parameter"


@pytest.mark.parametrize(("reason", "words"), [("", "loading"), ("There is no model file.", "no model file")])
def test_predict_before_the_model_is_there(client: FlaskClient, camera: FakeCamera, portrait, reason: str, words: str):
    """Without a model the answer is 503 with the reason."""
    camera.classifier, camera.model_reason = None, reason
    answer = send(client, encoded(portrait[0]))
    assert problem(answer) == "model_unavailable"
    assert answer.status_code == 503
    assert words in answer.json["error"]["message"]


@pytest.mark.parametrize("path", ["/api/predict", "/api/annotate"])
def test_pictures_are_never_written_to_disk(client: FlaskClient, portrait, monkeypatch, path: str):
    """Not even for the time of the request, however large they are."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a temporary file was made")

    for name in ("TemporaryFile", "SpooledTemporaryFile", "NamedTemporaryFile"):
        monkeypatch.setattr(tempfile, name, refuse)
    monkeypatch.setattr("werkzeug.formparser.SpooledTemporaryFile", refuse)
    large = encoded(portrait[0]) + bytes(800_000)  # decoders ignore what follows a picture's end
    assert send(client, large, path).status_code == 200


STREAM = "abcdefghijklmnop"


def send_frame(client: FlaskClient, data: bytes):
    """Send a frame of the visitor's own camera."""
    return client.post(f"/api/live/frame?stream={STREAM}", data=data, content_type="image/jpeg")


def test_a_frame_of_the_visitors_camera(client: FlaskClient, portrait):
    """Its face comes back, and what is no picture is refused."""
    (face,) = send_frame(client, encoded(portrait[0])).json["faces"]
    assert face["expression"] == "Happy"
    assert problem(send_frame(client, b"This is no picture.")) == "unsupported_image"
    assert problem(send_frame(client, b"")) == "image_empty"


@contextmanager
def all_turns(app) -> Iterator[None]:
    """Take all turns at analysing pictures."""
    with app.test_request_context(), ExitStack() as stack:
        for _ in range(AT_A_TIME):
            stack.enter_context(app.extensions[EXTENSION].analyses.acquire(5))
        yield


def test_few_wait_for_a_turn(app, client: FlaskClient, monkeypatch: pytest.MonkeyPatch):
    """More are told at once that there is too much to do, without taking a thread for long."""
    monkeypatch.setattr("web.routes.frames.BUSY_SECONDS", 3600.0)  # who waited, would wait until the test is stopped
    the = replace(app.extensions[EXTENSION], analyses=Limiter(2))
    app.extensions[EXTENSION] = the
    with all_turns(app):
        waiting = threading.Thread(target=lambda: send_frame(client, b"This is no picture."))
        waiting.start()
        while not the.analyses._waiting.taken:
            pass
        assert problem(send_frame(app.test_client(), b"This is no picture.")) == "busy"
    waiting.join()


def test_a_frame_is_not_decoded_before_its_turn(app, client: FlaskClient, monkeypatch):
    """Pictures in memory are as few as are being analysed: while others are, this one is not even looked at."""
    monkeypatch.setattr("web.routes.frames.BUSY_SECONDS", 0.01)
    with all_turns(app):
        assert problem(send_frame(client, b"This is no picture.")) == "busy"
    assert problem(send_frame(client, b"This is no picture.")) == "unsupported_image"


def test_a_visitor_who_sends_frames_faster_than_they_are_analysed_delays_nobody_else(app, client, portrait):
    """A frame that waits for the one before it in the same video takes nobody's turn meanwhile."""
    asked = threading.Event()

    def clock() -> float:
        asked.set()
        return 0.0

    the = replace(app.extensions[EXTENSION], streams=VisitorStreams(2, clock))
    app.extensions[EXTENSION] = the
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(send_frame(client, encoded(portrait[0])).status_code))
    with the.streams.get(STREAM, lambda: ExpressionPipeline(the.settings, the.camera.classifier)).lock:
        asked.clear()
        waiting.start()
        assert asked.wait(10)
        with all_turns(app):
            pass  # they are free
    waiting.join()
    assert answers == [200]


def test_too_many_pictures_at_once(app, client: FlaskClient, portrait, monkeypatch):
    """Where all turns are taken for too long, the answer is 503 and not a growing heap of pictures."""
    monkeypatch.setattr("web.picture_uploads.BUSY_SECONDS", 0.01)
    with all_turns(app):
        answer = send(client, encoded(portrait[0]))
    assert problem(answer) == "busy"
    assert answer.headers["Retry-After"]
    assert send(client, encoded(portrait[0])).status_code == 200


def test_status(client: FlaskClient, camera: FakeCamera):
    """The status says all that a page needs, also before there is a picture."""
    camera.status = SourceStatus(SourceState.RECONNECTING, "Door", "It refused.", next_try_at=0.0)
    before = client.get("/api/status").get_json()
    assert before["frame"] is None
    camera.publish()
    status = client.get("/api/status").get_json()
    assert status["version"]
    assert status.pop("detector") == "yunet"
    assert status | {"version": ""} == {
        "state": "reconnecting",
        "source": "Door",
        "reason": "It refused.",
        "next_try_in": 0,
        "cameras": [],
        "outputs": [],
        "model": "ready",
        "model_reason": "",
        "fps": 25.0,
        "latency_ms": 12.0,
        "viewers": 0,
        "frame": {"width": 64, "height": 48},
        "demo": False,
        "version": "",
    }


def test_health(client: FlaskClient):
    """The server says that it is alive."""
    began = time.time()
    answer = client.get("/healthz").json
    assert answer is not None
    assert began - 5 < answer.pop("time") < time.time() + 5
    assert answer == {"status": "ok", "model": "ready"}


def test_metrics(client: FlaskClient, camera: FakeCamera):
    """Frames, faces, stages, viewers and the source's state are counted, each application for itself."""
    camera.publish()
    camera.publish()
    text = client.get("/metrics").text
    assert "fer_frames_total 2.0" in text
    assert "fer_faces_total 2.0" in text
    assert 'fer_stage_seconds_bucket{le="0.005",stage="detect"} 2.0' in text
    assert 'fer_stage_seconds_bucket{le="0.002",stage="detect"} 0.0' in text
    assert 'fer_viewers{stream="video"} 0.0' in text
    assert 'fer_source_state{state="live"} 1.0' in text
    assert 'fer_source_state{state="failed"} 0.0' in text


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/api/nothing", 404), ("GET", "/api/predict", 405)])
def test_errors_of_the_api_are_json(client: FlaskClient, method: str, path: str, status: int):
    """Under /api even a browser gets JSON."""
    answer = client.open(path, method=method, headers={"Accept": "text/html"})
    problem(answer)
    assert answer.status_code == status
    assert status != 405 or "POST" in answer.headers["Allow"]


def test_errors_for_people_are_pages(client: FlaskClient):
    """A browser that opens a wrong address sees a page with a way back."""
    answer = client.get("/nothing", headers={"Accept": "text/html,*/*"})
    assert answer.status_code == 404
    assert answer.mimetype == "text/html"
    assert 'href="/"' in answer.text


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, '{"id":' * 100_000, "[" * 100_000 + "]" * 100_000, "9" * 100_000, "NaN", '"\\ud800"', "\0", ""],
    ids=["open lists", "open objects", "lists", "long number", "no number", "half a letter", "null", "nothing"],
)
@pytest.mark.parametrize("path", ["/api/source", "/api/predict", "/api/jobs"])
def test_json_of_any_shape_is_answered(client: FlaskClient, path: str, text: str):
    """However deeply it is nested, whatever it is."""
    answer = client.post(path, data=text, content_type="application/json")
    assert problem(answer) in {"bad_body", "bad_parameter", "multipart_required", "bad_request"}
    assert answer.status_code in {400, 415}


def test_our_own_mistakes_are_kept_from_users(app, client: FlaskClient, camera: FakeCamera, monkeypatch):
    """A bug is logged, and answered with 500 in JSON without its details."""
    monkeypatch.setattr(type(camera), "latest", lambda _: 1 / 0)
    answer = client.get("/api/status")
    assert problem(answer) == "internal_server_error"
    assert "division" not in answer.text


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\xff\xd8\xff\xe0" + bytes(50), "picture"),
        (b"\0\0\0\x18ftypheic" + bytes(50), "picture"),
        (b"\0\0\0\x18ftypavif" + bytes(50), "picture"),
        (b"8BPS" + bytes(50), "picture"),
        (b"", "picture"),
        (b"\0\0\0\x18ftypisom" + bytes(50), "video"),
        (b"\x1a\x45\xdf\xa3" + bytes(50), "video"),
        (b"G" + bytes(187) + b"G" + bytes(187), "video"),
        (b"FLV\1" + bytes(50), "video"),
        (b"\xff\xd8\xff\xd9\xff\xd8\xff\xd9", "video"),
    ],
)
def test_the_kind_of_a_file_is_told_by_its_first_bytes(client: FlaskClient, head: bytes, kind: str):
    """So that the page sends it where it belongs, whatever its name is."""
    answer = client.post("/api/kind", data=head, content_type="application/octet-stream")
    assert answer.json == {"kind": kind}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["HEIF", "AVIF", "TIFF", "GIF"])
def test_predict_reads_what_phones_and_scanners_make(client: FlaskClient, portrait, kind: str):
    """The face is found in every format that can be read."""
    file = io.BytesIO()
    PIL.Image.fromarray(np.ascontiguousarray(portrait[0][..., ::-1])).save(file, kind)
    answer = client.post("/api/predict", data={"image": (io.BytesIO(file.getvalue()), "photo")}).get_json()
    assert len(answer["faces"]) == 1


def test_predict_turns_a_picture_on_its_side(client: FlaskClient, portrait):
    """The answer is about the turned picture, says so, and /api/annotate gives that picture, with marks or without."""
    data = cv2.imencode(".png", cv2.rotate(portrait[0], cv2.ROTATE_90_COUNTERCLOCKWISE))[1].tobytes()
    answer = client.post("/api/predict", data={"image": (io.BytesIO(data), "side.png")}).get_json()
    height, width = portrait[0].shape[:2]
    assert (answer["turned"], answer["width"], answer["height"]) == (90, width, height)
    assert len(answer["faces"]) == 1
    plain = client.post("/api/annotate?marks=false", data={"image": (io.BytesIO(data), "side.png")}).data
    image = cv2.imdecode(np.frombuffer(plain, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert np.abs(image.astype(int) - portrait[0]).mean() < 3
