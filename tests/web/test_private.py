"""What the server gives private mode: the files, the settings, and a policy that lets only its worker compile code."""

import gzip
import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from config import ROOT, DetectorSettings, ModelSettings, Settings
from tests.helpers.fake_camera import FakeCamera
from vision.detectors.yunet_network import WEIGHTS
from web.routes.private import _networks


def told(client: FlaskClient, page: str = "/") -> Any:
    """Return what a page says of private mode."""
    found = re.search(r'data-private="([^"]*)"', client.get(page).text)
    assert found
    return json.loads(unescape(found.group(1)))


@pytest.mark.parametrize("page", ["/", "/check"])
def test_every_file_is_there_and_compressed(client: FlaskClient, page: str) -> None:
    """The runtime and both networks."""
    files = told(client, page)["files"]
    assert set(files) == {"runtime", "network", "yunet"}
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


@pytest.mark.parametrize("kind", ["haar", "yunet"])
def test_yunet_is_sent_whatever_the_server_uses(camera: FakeCamera, kind: Any) -> None:
    """Its file takes pictures of any size, nothing else in it is changed, and browsers may keep it for good."""
    settings = Settings(detector=DetectorSettings(kind=kind))
    client = create_app(settings, camera.as_camera()).test_client()
    files = told(client)["files"]
    assert set(files) == {"runtime", "network", "yunet"}
    answer = client.get(files["yunet"])
    assert "immutable" in answer.headers["Cache-Control"]
    sent, kept = gzip.decompress(answer.data), WEIGHTS.read_bytes()
    assert len(sent) == len(kept)
    assert 0 < sum(a != b for a, b in zip(sent, kept, strict=True)) <= 6


def test_another_version_is_not_sent(client: FlaskClient) -> None:
    """Browsers would keep it for good below the wrong address."""
    answer = client.get("/private/0123456789ab/yunet.onnx.gz")
    assert answer.status_code == 404
    assert "Load the page again" in answer.get_json()["error"]["message"]


def test_private_mode_is_not_told_of_without_its_detector(
    camera: FakeCamera, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither where YuNet's weights are missing nor where they are another network's."""
    _networks.cache_clear()
    for weights in (tmp_path / "missing.onnx", ROOT / "model_weights.h5"):
        monkeypatch.setattr("web.routes.private.WEIGHTS", weights)
        client = create_app(Settings(), camera.as_camera()).test_client()
        assert told(client) is None
        assert client.get("/private/e3b0c44298fc/network.onnx.gz").status_code == 404
        _networks.cache_clear()


def test_another_network_is_not_told_of(camera: FakeCamera, tmp_path: Path) -> None:
    """What browsers load was made of one pair of files, and lies beside them."""
    model = ModelSettings(weights=ROOT / "models" / "fer2013" / "model_weights.h5")
    assert told(create_app(Settings(model=model), camera.as_camera()).test_client()) is None
    missing = ModelSettings(weights=ROOT / "nothing.h5")
    assert told(create_app(Settings(model=missing), camera.as_camera()).test_client()) is None
    for name in ("model.json", "network.onnx"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / "model_weights.h5").write_bytes(b"other weights")
    other = ModelSettings(architecture=tmp_path / "model.json", weights=tmp_path / "model_weights.h5")
    assert told(create_app(Settings(model=other), camera.as_camera()).test_client()) is None
