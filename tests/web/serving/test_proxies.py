"""Behind a reverse proxy: below a path, and with what a trusted proxy tells about each visitor."""

from typing import Any

import pytest
from flask import Response
from flask.testing import FlaskClient

from app import create_app, welcome
from config import ServerSettings, Settings, load_settings
from errors import ConfigError
from tests.helpers.fake_camera import FakeCamera
from web.access.visitors import visitor_network
from web.serving.proxies import behind_proxies

TOKEN = "a-long-and-secret-token"
FORWARDED = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"}


def client(camera: FakeCamera, **server: Any) -> FlaskClient:
    """Return a client of an application with such settings."""
    camera.publish()
    return create_app(Settings.model_validate({"server": server}), camera.as_camera()).test_client()


@pytest.mark.parametrize("path", ["/faces/pictures", "/pictures"])
def test_pages_below_a_path_lead_to_others_below_it(camera: FakeCamera, path: str):
    """Whether the proxy takes the path off or not."""
    answer = client(camera, prefix="/faces").get(path)
    assert answer.status_code == 200
    addresses = [part.split('"')[0] for part in answer.text.split('href="/')[1:] + answer.text.split('src="/')[1:]]
    assert addresses
    assert all(address.startswith("faces/") for address in addresses)
    assert answer.headers["Set-Cookie"].endswith("Path=/faces; SameSite=Lax")


def test_a_path_that_only_begins_like_the_prefix_is_another(camera: FakeCamera):
    """/facesabout is not /faces and then about."""
    assert client(camera, prefix="/faces").get("/facesabout").status_code == 404


def test_the_path_alone_is_the_live_page(camera: FakeCamera):
    """People leave out the slash at the end."""
    assert "live-script" in client(camera, prefix="/faces").get("/faces").text


def test_the_api_s_document_tells_the_path(camera: FakeCamera):
    """So that programs, and the page to try it, ask below it."""
    served = client(camera, prefix="/faces").get("/faces/api/openapi.json").get_json()
    assert served["servers"] == [{"url": "/faces"}]


def test_the_token_s_link_leads_below_the_path(camera: FakeCamera):
    """And its cookie stays there: other applications of that host do not get it."""
    answer = client(camera, prefix="/faces", token=TOKEN).get(
        f"/faces/pictures?token={TOKEN}", headers={"Accept": "text/html"}
    )
    assert answer.headers["Location"] == "/faces/pictures"
    assert "Path=/faces;" in answer.headers["Set-Cookie"]
    assert "Secure" not in answer.headers["Set-Cookie"]


def test_cookies_are_secure_where_the_proxy_encrypts(camera: FakeCamera):
    """Although the proxy asks the application without encryption."""
    address = f"/?token={TOKEN}"
    answer = client(camera, proxies=1, token=TOKEN).get(address, headers=FORWARDED | {"Accept": "text/html"})
    assert "; Secure;" in answer.headers["Set-Cookie"]


def test_what_is_sent_from_the_proxy_s_address_is_from_our_own_page(camera: FakeCamera):
    """Browsers that do not say Sec-Fetch-Site name the origin, which has the proxy's scheme and host."""
    headers = {"Origin": "https://faces.example.org", "Host": "faces.example.org", "Authorization": f"Bearer {TOKEN}"}
    kind = client(camera, proxies=1, token=TOKEN)
    assert kind.post("/api/kind", data=b"x", headers=headers | FORWARDED).status_code == 200
    assert kind.post("/api/kind", data=b"x", headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "192.0.2.7", "127.0.0.1"),
        (1, "198.51.100.1, 192.0.2.7", "192.0.2.7"),
        (2, "192.0.2.7, 10.0.0.1", "192.0.2.7"),
    ],
)
def test_a_visitor_s_address_is_what_the_trusted_proxy_saw(proxies: int, forwarded: str, address: str):
    """What visitors claim themselves, further left, counts as little as the header does where no proxy is trusted."""
    seen: list[str] = []

    def application(environ, _):
        seen.append(environ["REMOTE_ADDR"])
        return []

    environ = {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": forwarded}
    behind_proxies(application, ServerSettings(proxies=proxies))(environ, lambda *_: lambda _: None)
    assert seen == [address]


def test_limits_are_each_visitor_s_behind_a_proxy(camera: FakeCamera):
    """Otherwise all would share one visitor's part of the places, for all come from the proxy's address."""
    app = create_app(
        Settings.model_validate({"server": {"proxies": 1, "token": TOKEN, "max_viewers": 1}}), camera.as_camera()
    )
    seen: set[str] = set()

    @app.after_request
    def see(response: Response) -> Response:
        seen.add(visitor_network())
        return response

    for address in ("192.0.2.7", "192.0.2.8"):
        app.test_client().get("/about", headers={"X-Forwarded-For": address, "Authorization": f"Bearer {TOKEN}"})
    assert len(seen) == 2


def test_behind_a_proxy_a_token_is_required(camera: FakeCamera):
    """Whom a proxy on this computer speaks for may come from anywhere."""
    assert client(camera, proxies=1).get("/about").status_code == 401


def test_the_address_to_open_has_the_path(camera: FakeCamera):
    """It is printed when the application starts."""
    text = welcome(Settings(server=ServerSettings(prefix="/faces", proxies=1, token=TOKEN)), 5000, [])
    assert f"http://127.0.0.1:5000/faces/?token={TOKEN}" in text
    assert f"Through the proxy: its address, and then /faces/?token={TOKEN}" in text


@pytest.mark.parametrize("prefix", ["faces", "/faces/", "//faces", "/fa ces", '/"'])
def test_a_prefix_that_is_no_path_is_an_error(prefix: str):
    """It says what is allowed."""
    with pytest.raises(ConfigError, match="begins with a slash, ends without: /faces"):
        load_settings({"server.prefix": prefix}, environment={})
