"""Settings come from a file, the environment and the command line, and mistakes are named."""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from config import ROOT, Section, Settings, described, load_settings
from errors import ConfigError
from scripts import settings_reference


@pytest.fixture
def toml(tmp_path: Path):
    """Return a function that writes a config file."""

    def write(text: str) -> Path:
        path = tmp_path / "config.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_each_layer_overrides_the_one_below(toml):
    """Defaults < file < environment < command line, key by key."""
    file = toml('source = "a.mp4"\n[server]\nhost = "::1"\nport = 1\n[video]\nmax_fps = 10')
    settings = load_settings({"server.port": "3"}, file, {"FER_SERVER__PORT": "2", "FER_VIDEO__LOOP": "false"})
    assert settings.server.port == 3
    assert settings.server.host == "::1"
    assert settings.video.loop is False
    assert settings.video.max_fps == 10
    assert settings.video.jpeg_quality == Settings().video.jpeg_quality


@pytest.mark.parametrize(("text", "source"), [("0", 0), ("12", 12), ("auto", "auto"), ("0.mp4", "0.mp4")])
def test_digits_are_a_webcam(text: str, source: int | str):
    """Environment and command line have only texts; a number among them is a webcam's."""
    assert load_settings({"source": text}, None, {}).source == source


def test_lists_are_words_where_there_are_only_texts(toml):
    """In the environment and on the command line, spaces separate a list's members."""
    addresses = ("rtsp://user:a,b@cam/1", "http://cam:8080/*")
    file = toml(f"[server]\nallowed_addresses = {list(addresses)}")
    assert load_settings(None, file, {}).server.allowed_addresses == addresses
    words = {"FER_SERVER__ALLOWED_ADDRESSES": " ".join(addresses)}
    assert load_settings(None, None, words).server.allowed_addresses == addresses


def test_example_shows_every_setting_with_its_default():
    """Copying config.example.toml changes nothing, and no setting is missing from it."""
    path = ROOT / "config.example.toml"
    assert load_settings(None, path, {}) == Settings()
    shown = tomllib.loads(re.sub(r"^# (\w+ = )", r"\1", path.read_text("utf-8"), flags=re.MULTILINE))
    expected = Settings().model_dump()
    assert shown.keys() == expected.keys()
    for section, keys in expected.items():
        if isinstance(keys, dict):
            assert shown[section].keys() == keys.keys()


@pytest.mark.parametrize(
    ("path", "made"),
    [("config.example.toml", settings_reference.example), ("docs/settings.md", settings_reference.page)],
)
def test_the_reference_is_made_from_the_descriptions(path: str, made: Callable[[], str]):
    """What readers are told of a setting is what config.py says now."""
    assert (ROOT / path).read_text("utf-8") == made(), "run python scripts/settings_reference.py"


def test_every_setting_says_what_it_is_for():
    """In words, as errors, the help of the command line and the reference show them."""
    names = [f"{name}.{key}" for name, section in Settings() if isinstance(section, Section) for key, _ in section]
    assert all(described(name).endswith(".") for name in ["source", *names])
    with pytest.raises(KeyError):
        described("server.prot")


def test_files_are_looked_up_beside_the_config(toml, tmp_path: Path):
    """A relative path in config.toml does not depend on where the command was started."""
    (tmp_path / "clip.mp4").touch()
    settings = load_settings(None, toml('source = "clip.mp4"\n[model]\nweights = "small.h5"'), {})
    assert settings.source == str(tmp_path / "clip.mp4")
    assert settings.model.weights == tmp_path / "small.h5"


def test_paths_elsewhere_are_looked_up_where_the_command_was_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """They mean the same to a process that runs in another folder."""
    monkeypatch.chdir(tmp_path)
    paths = {"uploads.folder": "videos", "server.certificate": "cert.pem"}
    settings = load_settings(paths, None, {"FER_MODEL__WEIGHTS": "small.h5", "FER_MODEL__ARCHITECTURE": "small.json"})
    assert settings.uploads.folder == tmp_path / "videos"
    assert settings.server.certificate == tmp_path / "cert.pem"
    assert settings.model.weights == tmp_path / "small.h5"
    assert settings.model.architecture == tmp_path / "small.json"
    assert Settings.model_validate_json(settings.model_dump_json()) == settings


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[video]\nmax_fps = 1000", ["config.toml", "video.max_fps", "1000", "at most 240", "above 0"]),
        ("[video]\nmax_fpz = 15", ["video.max_fpz", "Did you mean max_fps?", "jpeg_quality"]),
        ("sorce = 0", ["sorce", "Did you mean source?"]),
        ('[server]\nport = "5000"', ["server.port", "'5000'", "whole number"]),
        ("[video]\nloop = 1", ["video.loop", "true or false"]),
        ("[detector]\nmin_face = nan", ["detector.min_face", "nan", "a number"]),
        ("[server]\ntoken = 'short'", ["server.token", "at least 12"]),
        ("source = -1", ["source", "-1", "at least 0"]),
        ("source = 99999999999", ["source", "99999999999", "at most 255"]),
        ("source = ''", ["source", "''", "a text"]),
        ("source = 1979-05-27", ["source", "1979-05-27", "a text"]),
        ("[server]\ntoken = 1979-05-27T07:32:00", ["server.token", "1979-05-27", "a text"]),
        ("video = 1979-05-27", ["video", "no setting"]),
        (
            "[server]\nallowed_addresses = ['ftp://camera']",
            ["server.allowed_addresses", "ftp://camera", "each", "rtsp://"],
        ),
        (
            "[server]\nallowed_addresses = ['rtsp://camera:99999/']",
            ["server.allowed_addresses", "99999", "each", "65535"],
        ),
        ("video = 3", ["video", "3", "a section"]),
        ("source =", ["config.toml", "not valid TOML"]),
        ("[server]\nallowed_addresses = ['192.168.1.20']", ["allowed_addresses", "'192.168.1.20'", "rtsp://192"]),
        ("[server]\nallowed_addresses = ['rtsp://*']", ["allowed_addresses", "'rtsp://*'"]),
        ("[server]\nallowed_addresses = ['rtsp://cam:99999/*']", ["allowed_addresses", "'rtsp://cam:99999/*'"]),
        ("[server]\nallowed_addresses = ['rtsp://user@/*']", ["allowed_addresses", "'rtsp://user@/*'"]),
        ("[server]\nallowed_addresses = ['rtsp://cam/live/*']", ["allowed_addresses", "'rtsp://cam/live/*'"]),
        ("[server]\nallowed_addresses = ['udp://239.0.0.1/*']", ["allowed_addresses", "'udp://239.0.0.1/*'"]),
    ],
)
def test_mistakes_in_the_file_are_named(toml, text: str, words: list[str]):
    """The error says where, which key, which value, and what is allowed."""
    with pytest.raises(ConfigError) as caught:
        load_settings(None, toml(text), {})
    for word in words:
        assert word in str(caught.value)


def test_mistakes_elsewhere_are_named_all_at_once():
    """Unknown variables and wrong flags are reported together, each with its origin."""
    with pytest.raises(ConfigError) as caught:
        load_settings({"server.port": "x"}, None, {"FER_SERVER__PROT": "1", "FER_VIDEO__LOOP": "maybe", "OTHER": "1"})
    lines = str(caught.value).splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("environment variable FER_SERVER__PROT: there is no setting server.prot. Did you mean")
    assert lines[1].startswith("environment variable FER_VIDEO__LOOP: video.loop = 'maybe'")
    assert lines[2].startswith("command line: server.port = 'x'")


def test_a_file_that_was_asked_for_must_exist(tmp_path: Path):
    """A mistyped --config is an error, not a silent default."""
    with pytest.raises(ConfigError, match=r"nowhere\.toml"):
        load_settings(None, tmp_path / "nowhere.toml", {})


@pytest.mark.parametrize(
    "text",
    [
        "source = " + "[" * 100_000,
        "source = " + "[" * 50 + "]" * 50,
        "a" + ".a" * 3000 + " = 1",
        "[" + "a." * 3000 + "a]",
        "x = " + "{a=" * 9000,
    ],
    ids=["open lists", "lists", "key", "section", "tables"],
)
def test_deep_nesting_is_a_mistake_like_any_other(toml, text: str):
    """It has a line of its own, and no traceback."""
    with pytest.raises(ConfigError, match=r"config\.toml"):
        load_settings(None, toml(text), {})


def test_deep_names_are_a_mistake_like_any_other():
    """In the environment and on the command line."""
    for overrides, environment in (({"a" + ".a" * 3000: "1"}, {}), ({}, {"FER_A" + "__A" * 3000: "1"})):
        with pytest.raises(ConfigError):
            load_settings(overrides, None, environment)


def test_a_token_is_what_can_be_sent():
    """Spaces around it would be lost on the way; without them it has to be long enough."""
    assert load_settings({"server.token": " abcdefghijkl "}, None, {}).server.token == "abcdefghijkl"
    with pytest.raises(ConfigError, match=r"server\.token"):
        load_settings({"server.token": " " * 20}, None, {})
