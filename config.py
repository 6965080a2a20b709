"""Settings: config.toml, overridden by environment variables, overridden by the command line.

`load_settings` reads and validates all three once; what it returns never changes.
"""

import difflib
import json
import logging
import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import ErrorDetails

from errors import ConfigError

log = logging.getLogger(__name__)

VERSION: Final = "0.1.0"
ROOT = Path(__file__).resolve().parent
DEMO_CLIP = ROOT / "static" / "demo.mp4"
PREFIX: Final = "FER_"
"""Environment variables that are settings begin with this; a dot in a name is two underscores there."""
FILES: Final = (
    ("model", "architecture"),
    ("model", "weights"),
    ("server", "certificate"),
    ("server", "private_key"),
    ("uploads", "folder"),
    ("outputs", "mqtt", "password_file"),
    ("outputs", "mqtt", "ca_certificate"),
)
GONE: Final = {"detector": ("weights", "scale_factor", "min_neighbors", "profile")}
"""Settings of earlier versions, by section, that nothing depends on any more."""
DEEPEST: Final = 10
"""Levels of sections and lists; settings have three."""
TYPES: Final = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "string": "a text",
    "object": "a section",
    "array": "a list",
}
LIMITS: Final = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
}


class Section(BaseModel):
    """A group of settings; unknown keys are errors, values never change."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


AbsolutePath = Annotated[Path, AfterValidator(Path.absolute)]
"""A path that means the same to other processes, whatever folder they run in."""


class VideoSettings(Section):
    """How frames are read, paced and encoded."""

    loop: bool = Field(True, description="Play a video file again when it ends.")
    max_fps: Annotated[float, Field(gt=0, le=240)] = Field(30, description="Frames a second at most.")
    max_width: Annotated[int, Field(ge=64, le=7680)] = Field(
        1280, description="Wider frames are shrunk to this many pixels."
    )
    max_height: Annotated[int, Field(ge=64, le=4320)] = Field(
        720, description="Higher frames are shrunk to this many pixels."
    )
    jpeg_quality: Annotated[int, Field(ge=1, le=100)] = Field(
        80, description="JPEG quality of the stream, 1 to 100; more is sharper, and heavier on the network."
    )
    rtsp_transport: Literal["auto", "tcp", "udp"] = Field(
        "auto", description="How RTSP cameras send; auto takes TCP, and UDP where a camera refuses that."
    )
    idle_seconds: Annotated[float, Field(ge=0, le=3600)] = Field(
        5, description="The source is closed this long after the last viewer left."
    )


DetectorKind = Literal["auto", "haar", "yunet"]


class DetectorSettings(Section):
    """What looks for faces, and how."""

    kind: DetectorKind = Field("auto", description="What finds the faces: yunet, haar, or auto, which is YuNet.")
    min_face: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None,
        description="Smallest face, as a share of the frame's shorter side; not set: 0.04 with YuNet, 0.08 with Haar.",
        examples=[0.04],
    )


class ModelSettings(Section):
    """Which network names the expressions, and when it may."""

    architecture: AbsolutePath = Field(ROOT / "model.json", description="The network's Keras architecture.")
    weights: AbsolutePath = Field(ROOT / "model_weights.h5", description="The network's weights.")
    min_confidence: Annotated[float, Field(ge=0, le=1)] = Field(
        0.4,
        description='Below this confidence (0 to 1) a face is "uncertain"; to be named again it needs a little more.',
    )
    smoothing: Annotated[float, Field(ge=0, le=10)] = Field(
        0.25, description="Time constant, in seconds, over which a face's probabilities are averaged; 0 for none."
    )


def _words(value: object) -> object:
    """Environment and command line know only texts; between a list's members there are spaces."""
    members = value.split() if isinstance(value, str) else value
    return tuple(members) if isinstance(members, list) else members  # of which strict validation makes no tuple


def _with_host(address: str) -> str:
    """Raise ValueError where an address has no host, or no port that can be."""
    parts = urlsplit(address)
    if not parts.hostname or parts.port == 0:
        raise ValueError(address)
    return address


CameraAddress = Annotated[
    str,
    Field(
        pattern=r"^(?i)((rtsp|http)s?://[^\s\\/?#*]+/\*|(rtsp|rtmp|http)s?://[^\s\\/?#*]+([/?][^\s\\*]*)?)$",
        description="an rtsp://, rtmp:// or http:// address with a host, and with no port above 65535; in a password, "
        "write # as %23, / as %2F and ? as %3F",
    ),
    AfterValidator(_with_host),
]
"""A network camera's address, or a host's with /* for every path there."""


class ServerSettings(Section):
    """Where the application listens, and who may come in."""

    host: Annotated[str, Field(min_length=1)] = Field(
        "127.0.0.1",
        description="Address to listen on; 0.0.0.0 lets other devices in, and all but loopback require a token.",
    )
    port: Annotated[int, Field(ge=0, le=65535)] = Field(5000, description="Port to listen on; 0 takes a free one.")
    token: Annotated[str, StringConstraints(strip_whitespace=True, min_length=12)] | None = Field(
        None,
        description="Access token, at least 12 characters; generated and printed where one is required and none set.",
        examples=["..."],
    )
    https: bool = Field(False, description="Encrypt, which other devices' browsers require before they show a camera.")
    certificate: AbsolutePath | None = Field(
        None,
        description="Certificate for HTTPS, a PEM file; generated where none is set, and browsers warn of that once.",
        examples=["fullchain.pem"],
    )
    private_key: AbsolutePath | None = Field(
        None, description="The certificate's key, a PEM file.", examples=["key.pem"]
    )
    prefix: Annotated[str, Field(pattern=r"^((/[A-Za-z0-9._~-]+)+)?$")] = Field(
        "", description="Path below which a proxy serves the application: begins with a slash, ends without: /faces."
    )
    proxies: Annotated[int, Field(ge=0, le=10)] = Field(
        0,
        description="How many proxies are in front, whose X-Forwarded-For and X-Forwarded-Proto are trusted; any "
        "number above 0 requires a token.",
    )
    max_viewers: Annotated[int, Field(ge=1, le=1000)] = Field(150, description="Video streams served at once.")
    change_source: bool = Field(
        True,
        description="Let visitors change, for everybody, which video is shown, what its faces are compared with, and "
        "its markers.",
    )
    allowed_addresses: Annotated[tuple[CameraAddress, ...], BeforeValidator(_words)] = Field(
        (),
        description="Network cameras that visitors may choose, such as rtsp://user:password@192.168.1.20/stream, whose "
        "password they never see; rtsp://192.168.1.20/* (or rtsps, http, https) allows every path there. HTTP "
        "redirects and playlists may not lead from there to other hosts; RTSP redirects may, so name only servers that "
        "you trust.",
    )


class UploadSettings(Section):
    """Limits on what visitors send."""

    max_megabytes: Annotated[float, Field(gt=0, le=10000)] = Field(20, description="Largest picture file, in MB.")
    max_megapixels: Annotated[float, Field(gt=0, le=200)] = Field(50, description="Largest picture, in megapixels.")
    max_video_megabytes: Annotated[float, Field(gt=0, le=100_000)] = Field(
        200, description="Largest video file, in MB."
    )
    max_video_seconds: Annotated[float, Field(gt=0, le=86_400)] = Field(600, description="Longest video, in seconds.")
    max_video_megapixels: Annotated[float, Field(gt=0, le=40)] = Field(
        9, description="Largest frame of a video, in megapixels; 4K has 8.3."
    )
    max_video_gigapixels: Annotated[float, Field(gt=0, le=10_000)] = Field(
        75,
        description="Gigapixels of all frames of a video together; 10 minutes of 1080p have 37, or 75 at 60 a second.",
    )
    max_jobs: Annotated[int, Field(ge=1, le=10_000)] = Field(
        50, description="Videos kept at once, of all visitors; half of them from one network address."
    )
    max_jobs_each: Annotated[int, Field(ge=1, le=1000)] = Field(10, description="Videos kept at once, of one visitor.")
    keep_seconds: Annotated[float, Field(ge=10, le=31_536_000)] = Field(
        3600, description="Videos and their results are deleted this long after they are done."
    )
    folder: AbsolutePath = Field(
        ROOT / "var" / "uploads", description="Where videos and their results are kept until then."
    )


MAX_WEBCAM: Final = 255
"""The highest number that a system gives to a webcam."""


def _webcam_number(value: object) -> object:
    """Environment and command line know only texts; a text of digits is the number of a webcam."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


Source = Annotated[
    Annotated[int, Field(ge=0, le=MAX_WEBCAM)] | Annotated[str, Field(min_length=1)], BeforeValidator(_webcam_number)
]


class CameraSettings(Section):
    """One of several cameras."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")] = Field(
        description="What it is called in the page, in addresses and tables: up to 40 letters, digits, - and _."
    )
    source: Source = Field(description="What it shows, as the setting source.")
    detector: DetectorKind | None = Field(None, description="What finds its faces; as detector.kind if not set.")
    rest: AbsolutePath | None = Field(
        None, description="The resting face of the person before it, a file that the page saved; none if not set."
    )


class IntervalSettings(Section):
    """What makes an interval: a stretch of time in which a face shows an expression."""

    on: Annotated[float, Field(gt=0, le=1)] = Field(0.5, description="Probability at which an interval begins.")
    off: Annotated[float, Field(ge=0, le=1)] = Field(
        0.35, description="Probability below which an interval ends; at most that at which it begins."
    )
    shortest: Annotated[float, Field(ge=0, le=60)] = Field(
        0.2, description="Seconds that an interval lasts at least; shorter ones are dropped."
    )
    gap: Annotated[float, Field(ge=0, le=60)] = Field(
        0.2, description="Seconds between two intervals of one expression up to which they are one."
    )


def _with_port(address: str) -> str:
    """Raise ValueError where an address, HOST:PORT with any scheme before it, has no host or no port that can be."""
    parts = urlsplit(address if "://" in address else f"//{address}")
    if not parts.hostname or not parts.port:
        raise ValueError(address)
    return address


Receiver = Annotated[
    str,
    Field(pattern=r"^[^\s/@]+:[0-9]+$", description="as HOST:PORT, such as 127.0.0.1:9000"),
    AfterValidator(_with_port),
]
"""Where a program listens."""

_NAME: Final = "[A-Za-z0-9._~-]+"
_NAMES: Final = f"{_NAME}(/{_NAME})*"
MAX_OUTPUT_FACES: Final = 20
"""Faces that an output may tell of; each has channels or addresses of its own."""

OutputFaces = Annotated[int, Field(ge=1, le=MAX_OUTPUT_FACES)]


class OscSettings(Section):
    """Figures by Open Sound Control, for programs of artists and makers of avatars; see docs/outputs.md."""

    receivers: Annotated[tuple[Receiver, ...], BeforeValidator(_words)] = Field(
        (), description="Programs that get the figures, each as HOST:PORT, such as 127.0.0.1:9000; none for no OSC."
    )
    prefix: Annotated[str, Field(pattern=f"^(/{_NAMES})?$")] = Field(
        "", description="What every address begins with: with /stage, /stage/face/1/happy."
    )
    faces: OutputFaces = Field(4, description="Faces that are told of at most.")
    rate: Annotated[float, Field(gt=0, le=240)] = Field(60, description="Bundles a second at most.")


class MqttSettings(Section):
    """Figures by MQTT, for homes and installations; see docs/outputs.md."""

    broker: Annotated[str, Field(pattern=r"^mqtts?://[^\s/@]+:[0-9]+$"), AfterValidator(_with_port)] | None = Field(
        None,
        description="The broker, as mqtt://HOST:PORT, or mqtts://HOST:PORT with TLS; not set for no MQTT.",
        examples=["mqtt://127.0.0.1:1883"],
    )
    user: str | None = Field(None, description="Name by which the broker knows the app.", examples=["faces"])
    password: str | None = Field(
        None,
        description="Its password; rather than in a file that others read, set FER_OUTPUTS__MQTT__PASSWORD.",
        examples=["..."],
    )
    password_file: AbsolutePath | None = Field(
        None, description="A file whose first line is the password.", examples=["mqtt-password"]
    )
    ca_certificate: AbsolutePath | None = Field(
        None,
        description="Certificate of who vouches for a broker with TLS, a PEM file; not set: whom the system trusts.",
        examples=["ca.pem"],
    )
    topic: Annotated[str, Field(pattern=f"^{_NAMES}$")] = Field(
        "facial-expressions", description="What every topic begins with; give each app on a broker its own."
    )
    discovery: Annotated[str, Field(pattern=f"^({_NAMES})?$")] = Field(
        "homeassistant", description="Topic under which Home Assistant discovers devices; empty for no discovery."
    )
    faces: OutputFaces = Field(4, description="Faces that are told of at most.")
    rate: Annotated[float, Field(gt=0, le=60)] = Field(2, description="Messages a second and topic at most.")


class LslSettings(Section):
    """Figures by the Lab Streaming Layer, for recordings beside EEG and eye trackers; see docs/outputs.md."""

    enabled: bool = Field(False, description="Send the streams.")
    name: Annotated[str, Field(pattern=f"^{_NAME}$")] = Field(
        "expressions",
        description="The stream's name, another one for each app in a network; that of changes has -changes after it.",
    )
    faces: OutputFaces = Field(1, description="Faces that have channels.")
    markers: Annotated[str, Field(pattern=r"^[^'\"]*$")] = Field(
        "",
        description="Name or type of a stream whose samples become markers of live recordings; most programs for "
        "experiments send one of the type Markers. Empty for none.",
    )


class OutputSettings(Section):
    """What gets the figures of the server's video while it is seen; all of it is off by default."""

    osc: OscSettings = OscSettings()
    mqtt: MqttSettings = MqttSettings()
    lsl: LslSettings = LslSettings()


class Settings(Section):
    """Everything that can be set."""

    source: Source = Field(
        "auto",
        description="What is shown: auto (the first webcam that gives a picture, else the demo clip), demo, a webcam's "
        "number (on Linux also a path such as /dev/v4l/by-id/...), the path of a video or picture, or an rtsp://, "
        "http:// or https:// address, such as rtsp://user:password@192.168.1.20/stream.",
    )
    cameras: tuple[CameraSettings, ...] = Field(
        (),
        description="Several cameras instead of one source, each as [[cameras]] with its name (letters, digits, - and "
        "_), its source and, where they are others, its detector, and rest, a file with the resting face of the person "
        "before it.",
    )
    max_cameras: Annotated[int, Field(ge=1, le=32)] = Field(
        4, description="Cameras at once; each takes a share of the processor and memory of its own."
    )
    video: VideoSettings = VideoSettings()
    detector: DetectorSettings = DetectorSettings()
    model: ModelSettings = ModelSettings()
    server: ServerSettings = ServerSettings()
    uploads: UploadSettings = UploadSettings()
    intervals: IntervalSettings = IntervalSettings()
    outputs: OutputSettings = OutputSettings()


def described(name: str) -> str:
    """Return what a setting, named as "server.port", or a section is for, as config.py says it.

    Raises:
        KeyError: There is no such setting.

    """
    *sections, key = name.split(".")
    section = reduce(getattr, sections, Settings())
    return type(section).model_fields[key].description or type(getattr(section, key)).__doc__ or ""


def settings_by_camera(settings: Settings) -> dict[str, Settings]:
    """Return the settings of each camera by its name, as if it were the only one; the only one has no name."""
    if not settings.cameras:
        return {"": settings}
    own = {}
    for camera in settings.cameras:
        detector = settings.detector.model_copy(update={"kind": camera.detector or settings.detector.kind})
        own[camera.name] = settings.model_copy(update={"source": camera.source, "detector": detector, "cameras": ()})
    return own


def load_settings(
    overrides: Mapping[str, object] | None = None,
    file: Path | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """Read the settings: defaults < config.toml < environment variables < overrides.

    Args:
        overrides: Values by dotted name, as the command line gives them: {"server.port": 8080}.
        file: A TOML file that has to exist; without it `config.toml` beside this module is read where there is one.
            Relative paths in it are relative to its folder; elsewhere they are to the current one.
        environment: Variables such as FER_SOURCE or FER_SERVER__PORT.

    Raises:
        ConfigError: A file is missing or not TOML, a name is unknown, or a value has a wrong type or range. Names
            where it was set, the key, the value, and what is allowed; one line each.

    """
    path = file or ROOT / "config.toml"
    layers = [(path.name, _read_toml(path, required=file is not None), True)]
    layers += [
        (f"environment variable {name}", _nest(name.removeprefix(PREFIX).lower().split("__"), value), False)
        for name, value in sorted(environment.items())
        if name.startswith(PREFIX)
    ]
    layers += [("command line", _nest(name.split("."), value), False) for name, value in (overrides or {}).items()]
    for where, values, _ in layers:
        _drop_gone(where, values)
    problems = [problem for where, values, strict in layers for problem in _problems(where, values, strict=strict)]
    if problems:
        raise ConfigError("\n".join(problems))
    settings = Settings.model_validate(reduce(_merge, [values for _, values, _ in layers]))
    _check_cameras(settings)
    return settings


def _check_cameras(settings: Settings) -> None:
    names = [camera.name for camera in settings.cameras]
    if len(names) > settings.max_cameras:
        raise ConfigError(
            f"{len(names)} cameras are named, and max_cameras allows {settings.max_cameras}. Name fewer, or raise it "
            "where the computer has the processors for them."
        )
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ConfigError(f"Two cameras have the name {twice}. Give each another one.")


def _read_toml(path: Path, *, required: bool) -> dict[str, Any]:
    if not required and not path.exists():
        return {}
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}). Check --config.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is not valid TOML: {error}.") from error
    except RecursionError:
        values = None
    if values is None or _is_deep(values):
        raise ConfigError(f"{path}: is nested far too deeply. Compare it with config.example.toml.")
    return _beside(path.parent.resolve(), values)


def _drop_gone(where: str, values: dict[str, Any]) -> None:
    """Take out settings that are no longer there, with a word on it: a file of an earlier version goes on working."""
    for name, gone in GONE.items():
        section = values.get(name)
        if not isinstance(section, dict):
            continue
        for key in [key for key in gone if key in section]:
            del section[key]
            log.warning("%s: there is no setting %s.%s any more; it is not used.", where, name, key)


def _is_deep(values: object) -> bool:
    """Whether values are nested deeper than any setting, and perhaps than recursive functions can go."""
    level = [values]
    for _ in range(DEEPEST):
        level = [inner for outer in level for inner in _inside(outer)]
    return bool(level)


def _inside(value: object) -> Iterable[object]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _beside(folder: Path, values: dict[str, Any]) -> dict[str, Any]:
    """Make the file's relative paths independent of where the command was started."""
    files: list[tuple[object, str]] = [(_within(values, sections), key) for *sections, key in FILES]
    cameras = values.get("cameras")
    each = [(camera, key) for camera in cameras for key in ("source", "rest")] if isinstance(cameras, list) else []
    for group, key in [(values, "source"), *each, *files]:
        if not isinstance(group, dict) or not isinstance(name := group.get(key), str) or not name:
            continue  # not there, or wrong, which validation says better
        if key != "source" or (folder / name).exists():
            group[key] = str(folder / name)
    return values


def _within(values: object, sections: Sequence[str]) -> object:
    """Return a section in sections of what a file says; None where it has none of that name."""
    for section in sections:
        values = values.get(section) if isinstance(values, dict) else None
    return values


def _nest(names: Sequence[str], value: object) -> dict[str, Any]:
    """Return {"a": {"b": value}} for the names a, b; names beyond the deepest are left together."""
    first, rest = names[0], names[1:]
    if len(names) > DEEPEST:
        return {".".join(names): value}
    return {first: _nest(rest, value) if rest else value}


def _merge(lower: dict[str, Any], upper: dict[str, Any]) -> dict[str, Any]:
    """Return both, nested, with upper's values where both have one; a source takes the place of several cameras."""
    if "source" in upper:
        lower = {key: value for key, value in lower.items() if key != "cameras"}
    both = {key: _merge(lower[key], upper[key]) for key in lower.keys() & upper if isinstance(upper[key], dict)}
    return {**lower, **upper, **both}


def _problems(where: str, values: dict[str, Any], *, strict: bool) -> list[str]:
    """Validate one layer. Strict is for a file, where a text in quotes is no number."""
    try:
        if strict:  # pydantic's strict mode accepts paths as texts in JSON only; no setting is a date
            Settings.model_validate_json(json.dumps(values, default=lambda date: {"date": str(date)}), strict=True)
        else:
            Settings.model_validate(values)
    except ValidationError as error:
        return list(dict.fromkeys(_explain(where, found) for found in error.errors()))  # once for a union's members
    return []


def _explain(where: str, error: ErrorDetails) -> str:
    """Say what is wrong with one setting, and what it may be."""
    schema = Settings.model_json_schema()
    section, names = schema, list[str]()
    for name in map(str, error["loc"]):
        member = section.get("items") if name.isdecimal() else section.get("properties", {}).get(name)
        if member is None or ("$ref" not in member and name.isdecimal()):
            break  # an unknown key, or the member of a union or of a list of texts
        section = member
        section = {**schema["$defs"][section["$ref"].rpartition("/")[2]], **section} if "$ref" in section else section
        names.append(name)
    key = ".".join(names)
    if error["type"] == "extra_forbidden":
        unknown, known = str(error["loc"][-1]), sorted(section["properties"])
        close = difflib.get_close_matches(unknown, known, n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        return f"{where}: there is no setting {'.'.join([*names, unknown])}.{hint} Known here: {', '.join(known)}."
    value = error["input"]
    return f"{where}: {key} = {value!r} is not allowed; it must be {allowed(section)}. {section['description']}"


def allowed(schema: dict[str, Any]) -> str:
    """Put a JSON schema into words."""
    if "enum" in schema:
        return " or ".join(schema["enum"])
    if "anyOf" in schema:
        return ", or ".join(allowed(member) for member in schema["anyOf"] if member["type"] != "null")
    length = schema.get("minLength", 1)
    words = f"a text of at least {length} characters" if length > 1 else TYPES[schema["type"]]
    limits = [f"{word} {schema[name]}" for name, word in LIMITS.items() if name in schema]
    members = [f"each {schema['items']['description']}"] if "description" in schema.get("items", {}) else []
    return ", ".join([words, *limits, *members])
