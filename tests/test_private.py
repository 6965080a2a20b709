"""What the server gives private mode: the files, the settings, and a policy that lets only its worker compile code."""

import gzip
import json
import re
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from config import ROOT, DetectorSettings, ModelSettings, Settings
from tests.fake_camera import FakeCamera
from vision.detectors.yunet_network import WEIGHTS


def told(client: FlaskClient, page: str = "/") -> Any:
    """Return what a page says of private mode."""
    found = re.search(r'data-private="([^"]*)"', client.get(page).text)
    assert found
    return json.loads(unescape(found.group(1)))


@pytest.mark.parametrize("page", ["/", "/check"])
def test_every_file_is_there_and_compressed(client: FlaskClient, page: str) -> None:
    """With Haar: the runtime, the network and two cascades."""
    files = told(client, page)["files"]
    assert set(files) >= {"runtime", "network"}
    for address in files.values():
        answer = client.get(address)
        assert answer.status_code == 200
        assert "Content-Encoding" not in answer.headers or answer.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(answer.data)


def test_only_its_worker_may_compile_code(client: FlaskClient) -> None:
    """Pages and their scripts keep the strict policy."""
    page = client.get("/").text
    static = re.search(r"/static/\w+/", page)
    assert static
    policies = {
        path: client.get(path).headers["Content-Security-Policy"]
        for path in ("/", "/check", f"{static[0]}js/live/live.js", f"{static[0]}js/private/worker.js")
    }
    assert [path for path, policy in policies.items() if "wasm-unsafe-eval" in policy] == [
        f"{static[0]}js/private/worker.js"
    ]
    assert all("'unsafe-eval'" not in policy for policy in policies.values())
    assert client.get("/").headers["Cross-Origin-Embedder-Policy"] == "require-corp"


def test_yunet_is_sent_where_it_is_used(camera: FakeCamera) -> None:
    """Its file takes pictures of any size, and nothing else in it is changed."""
    detector = DetectorSettings(kind="yunet")
    client = create_app(Settings(detector=detector), camera.as_camera()).test_client()
    files = told(client)["files"]
    assert set(files) == {"runtime", "network", "yunet"}
    sent, kept = gzip.decompress(client.get(files["yunet"]).data), WEIGHTS.read_bytes()
    assert len(sent) == len(kept)
    assert 0 < sum(a != b for a, b in zip(sent, kept, strict=True)) <= 6


def test_yunet_is_not_there_where_haar_is_used(camera: FakeCamera) -> None:
    """The address answers with words."""
    client = create_app(Settings(detector=DetectorSettings(kind="haar")), camera.as_camera()).test_client()
    answer = client.get("/private/yunet.onnx.gz")
    assert answer.status_code == 404
    assert "YuNet" in answer.get_json()["error"]["message"]


def test_another_network_is_not_told_of(camera: FakeCamera) -> None:
    """What was exported belongs to one pair of files."""
    model = ModelSettings(weights=ROOT / "models" / "fer2013" / "model_weights.h5")
    assert told(create_app(Settings(model=model), camera.as_camera()).test_client()) is None
    missing = ModelSettings(weights=ROOT / "nothing.h5")
    assert told(create_app(Settings(model=missing), camera.as_camera()).test_client()) is None
