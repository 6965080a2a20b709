"""Who is let in, and what browsers are told to refuse."""

import io
import re
from itertools import product
from urllib.parse import unquote_to_bytes

import pytest
from flask.testing import FlaskClient

from app import create_app
from config import ROOT, Settings
from tests.helpers.fake_camera import FakeCamera
from web.access.security import COOKIE, is_loopback, with_token
from web.assets import tagged_path
from web.services import EXTENSION

STATIC = tagged_path(ROOT / "static")

TOKEN = "a-long-and-secret-token"
ROUTES = [
    "/",
    "/video_feed",
    "/api/events",
    "/api/status",
    "/api/predict",
    "/healthz",
    "/metrics",
    f"{STATIC}/demo.mp4",
    f"{STATIC}/js/live/live.js",
    f"{STATIC}/css/../demo.mp4",
    "/nothing",
]


@pytest.fixture
def guarded(camera: FakeCamera) -> FlaskClient:
    """Return a client, without a memory for cookies, of an application that requires a token."""
    camera.publish()
    settings = Settings.model_validate({"server": {"host": "0.0.0.0", "token": TOKEN}})  # noqa: S104 - that's why
    return create_app(settings, camera.as_camera()).test_client(use_cookies=False)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104
        ("::", False),
        ("192.168.1.2", False),
        ("example.org", False),
        ("localhost.example.org", False),
        ("", False),
    ],
)
def test_loopback_is_told_from_the_rest(host: str, loopback: bool):
    """Only what can mean nothing but this computer is loopback."""
    assert is_loopback(host) is loopback


def test_a_token_is_made_up_only_where_one_is_needed():
    """Loopback needs none, other addresses get a long one, and one that is set stays."""

    def token(**server: str) -> str | None:
        return with_token(Settings.model_validate({"server": server})).server.token

    assert token() is None
    assert token(token=TOKEN) == TOKEN
    assert token(host="0.0.0.0", token=TOKEN) == TOKEN  # noqa: S104
    made_up = token(host="192.168.1.2")
    assert made_up
    assert len(made_up) >= 32
    assert made_up != token(host="192.168.1.2")


def test_the_application_never_listens_elsewhere_without_a_token(camera: FakeCamera):
    """create_app itself makes the token up; nobody can forget to."""
    app = create_app(Settings.model_validate({"server": {"host": "::"}}), camera.as_camera())
    assert app.extensions[EXTENSION].settings.server.token
    assert app.test_client().get("/").status_code == 401


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": "Bearer"},
        {"Cookie": f"{COOKIE}=wrong"},
        {"Cookie": f"{COOKIE}="},
        {"Cookie": f"{COOKIE}=\u00e4"},
    ],
    ids=["none", "wrong", "scheme", "empty", "wrong cookie", "empty cookie", "umlaut"],
)
def test_every_route_needs_the_token(guarded: FlaskClient, path: str, headers: dict[str, str]):
    """Without it nothing is served, not even whether a page exists."""
    answer = guarded.get(path, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.get_json()["error"]["code"] == "token_required"
    assert guarded.get(f"{path}?token=wrong").status_code == 401


def test_the_page_that_asks_for_the_token_can_be_used(guarded: FlaskClient):
    """A person sees it as it is meant to look, and can enter the token there."""
    page = guarded.get("/about", headers={"Accept": "text/html"})
    assert page.status_code == 401
    for path in re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text):
        assert guarded.get(path).status_code == 200, path
    assert '<input name="token"' in page.text
    assert guarded.get(f"/about?token={TOKEN}", headers={"Accept": "text/html"}).headers["Location"] == "/about"


@pytest.mark.parametrize("headers", [{"Authorization": f"Bearer {TOKEN}"}, {"Cookie": f"{COOKIE}={TOKEN}"}])
def test_the_token_opens(guarded: FlaskClient, headers: dict[str, str]):
    """With it, in the header or the cookie, everything is served, under any host's name."""
    with guarded.get("/video_feed", headers=headers) as stream:
        assert stream.status_code == 200
    for path in ("/api/status", "/healthz", "/metrics", f"{STATIC}/css/colours.css"):
        assert guarded.get(path, headers=headers | {"Host": "192.168.1.2:5000"}).status_code == 200


def test_the_token_moves_from_the_address_into_a_cookie(guarded: FlaskClient):
    """A person opens the printed address once; after that the address is clean and the cookie does.

    Browsers send it with links from anywhere ("Lax"). A "Strict" one they would withhold, in this very redirect too,
    where the printed address was clicked in a mail or on another site.
    """
    answer = guarded.get(f"/?token={TOKEN}&view=1", headers={"Accept": "text/html"})
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/?view=1"
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert guarded.get("/", headers={"Cookie": cookie.partition(";")[0]}).status_code == 200


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"}, 200),
        ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image"}, 403),
        ("POST", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"}, 403),
        ("POST", {"Origin": "http://example.org"}, 403),
        ("POST", {"Origin": "null"}, 403),
    ],
)
def test_the_cookie_lets_other_sites_do_no_more_than_link(
    guarded: FlaskClient, method: str, headers: dict[str, str], status: int
):
    """Even where a browser sends the cookie along, another site's page can neither write nor embed."""
    answer = guarded.open("/", method=method, headers=headers | {"Cookie": f"{COOKIE}={TOKEN}"})
    assert answer.status_code == status


def test_the_redirect_stays_here(guarded: FlaskClient):
    """An address such as //elsewhere does not lead the person, with the token, to another site."""
    path = {"PATH_INFO": "//example.org/", "QUERY_STRING": f"token={TOKEN}"}
    answer = guarded.get(headers={"Accept": "text/html"}, environ_overrides=path)
    assert answer.headers["Location"] == "/example.org/"


@pytest.mark.parametrize(
    "path",
    [
        "/%09/example.org/",
        "/%0a/example.org",
        "/%0d%0a/example.org",
        "/%5cexample.org/",
        "//example.org",
        "/%2f/example.org",
        "/%5c%5cexample.org",
        "/%09%5cexample.org",
        "/;//example.org",
        "/%00/example.org",
        "/https:%2f%2fexample.org",
        "/%E2%80%A8/example.org",
        "/.//example.org",
        "/%20//example.org",
    ],
)
def test_no_trick_leads_the_redirect_elsewhere(guarded: FlaskClient, path: str):
    """As browsers read addresses: a backslash is a slash, and tabs and line ends are left out."""
    environ = {"PATH_INFO": unquote_to_bytes(path).decode("latin-1"), "QUERY_STRING": f"token={TOKEN}"}
    answer = guarded.get(headers={"Accept": "text/html"}, environ_overrides=environ)
    assert answer.status_code == 302
    location = answer.headers["Location"]
    read_by_browsers = re.sub(r"[\t\r\n]", "", location.strip()).replace("\\", "/")
    assert read_by_browsers == location
    assert re.match(r"/[^/]", location) or location == "/"


TRICKS = ["", "/", "//", "/./", "/../", "/%2e/", "/%2e%2e/", "/;x/", "/%00/", "/%0a/", "/static/css/../../"]
ENDS = ["", "/", "%2f", "?", "#", "%23", ";", "%00", "?token", "?token=", "?token=%00", f"?token={TOKEN[:-1]}"]


def test_no_address_gets_round_the_token(guarded: FlaskClient):
    """Whatever is put before or behind an address, methods and headers that other servers heed included."""
    headers = [
        {},
        {"X-Original-URL": "/static/css/base.css"},
        {"X-HTTP-Method-Override": "OPTIONS"},
        {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "localhost", "Host": "localhost"},
        {"Authorization": f"Bearer {TOKEN[:-1]}", "Cookie": f"{COOKIE}={TOKEN}x"},
        {"Authorization": "Bearer \xff"},
    ]
    methods = ["GET", "HEAD", "POST", "OPTIONS"]
    routes = ["api/status", "video_feed", "api/jobs", "metrics"]
    combinations = list(product(TRICKS, routes, ENDS, methods))
    for number, (before, route, behind, method) in enumerate(combinations):
        address = f"/{before.strip('/')}/{route}{behind}" if before else f"/{route}{behind}"
        answer = guarded.open(address, method=method, headers=headers[number % len(headers)])
        assert answer.status_code in {401, 403}, (method, address)
    assert len(combinations) > 1024


@pytest.mark.parametrize(
    ("token", "encoding"),
    [
        ("Schlüssel-für-alle", "utf-8"),
        ("Schlüssel-für-alle", "latin-1"),
        ("пароль-для-всех", "utf-8"),
        ("with spaces inside", "utf-8"),
        ("  spaces around  ", "utf-8"),
        ("50%&?/#+=<>;,", "utf-8"),
    ],
)
def test_any_token_works_in_every_way(camera: FakeCamera, token: str, encoding: str):
    """In the header, in either encoding that programs use, in the address, and in the cookie that this sets."""
    settings = Settings.model_validate({"server": {"token": token}})
    client = create_app(settings, camera.as_camera()).test_client()
    header = f"Bearer {token}".encode(encoding).decode("latin-1").strip(" ")
    assert client.get("/api/status").status_code == 401
    assert client.get("/api/status", environ_overrides={"HTTP_AUTHORIZATION": header}).status_code == 200
    page = client.get("/", query_string={"token": settings.server.token}, headers={"Accept": "text/html"})
    assert page.status_code == 302
    assert client.get("/api/status").status_code == 200


def test_programs_may_put_the_token_into_the_address(guarded: FlaskClient):
    """Players of streams cannot send headers; they get the stream itself, and no cookie."""
    with guarded.get(f"/video_feed?token={TOKEN}") as stream:
        assert stream.status_code == 200
        assert "Set-Cookie" not in stream.headers


@pytest.mark.parametrize("host", ["localhost", "localhost:5000", "127.0.0.1:5000", "[::1]:5000", "LOCALHOST"])
def test_loopback_hosts_are_served(client: FlaskClient, host: str):
    """The names of this computer reach the application."""
    assert client.get("/api/status", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["example.org", "example.org:5000", "localhost.example.org", "192.168.1.2", "", "[", "@"]
)
@pytest.mark.parametrize("path", ["/", "/api/status", "/video_feed", f"{STATIC}/css/base.css"])
def test_other_hosts_are_refused(client: FlaskClient, host: str, path: str):
    """A name that an attacker points at 127.0.0.1 does not reach the application."""
    answer = client.get(path, headers={"Host": host})
    assert answer.status_code in {400, 403}


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"Origin": "http://localhost"}, True),
        ({"Origin": "http://localhost:8000"}, False),
        ({"Origin": "https://localhost"}, False),
        ({"Origin": "http://example.org"}, False),
        ({"Origin": "null"}, False),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"}, False),
    ],
)
def test_other_sites_cannot_post(client: FlaskClient, headers: dict[str, str], allowed: bool):
    """A page of another site can change nothing and upload nothing here; programs can."""
    answer = client.post("/api/predict", data={"image": (io.BytesIO(b"x"), "a.jpg")}, headers=headers)
    assert answer.get_json()["error"]["code"] == ("unsupported_image" if allowed else "cross_origin")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "iframe"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "image"}, 200),
    ],
)
def test_other_sites_can_link_but_not_embed(client: FlaskClient, headers: dict[str, str], status: int):
    """Another site's page may lead a person here, but not show our pages or pictures, which would start the camera."""
    assert client.get("/", headers=headers).status_code == status


@pytest.mark.parametrize("path", ["/", "/api/status", f"{STATIC}/css/colours.css", "/nothing"])
def test_every_answer_tells_browsers_what_to_refuse(client: FlaskClient, path: str):
    """Security headers are on pages, data, files and errors alike."""
    headers = client.get(path).headers
    policy = dict(entry.strip().split(" ", 1) for entry in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["base-uri"] == "'none'"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "http" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "camera=(self)" in headers["Permissions-Policy"]


def test_pages_keep_the_content_policy(client: FlaskClient):
    """No page has a script or a style in it, or asks another host for anything."""
    page = client.get("/").text
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page)
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", page)
