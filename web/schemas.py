"""The API's requests and answers, as its OpenAPI document describes them."""

from typing import Annotated, Any, Final, Literal, get_args

from flask_openapi3 import FileStorage
from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema, create_model
from pydantic_core import PydanticCustomError

from analysis.recording.times import HOW_TIME, TIME, parse_time
from config import DetectorKind
from entities import EXPRESSIONS, SourceState
from outputs.output import OutputState


def _to_seconds(time: Any) -> Any:
    """Return a time that is written as people do in seconds; anything else as it is."""
    if not isinstance(time, str):
        return time
    try:
        return parse_time(time)
    except ValueError:
        raise PydanticCustomError("time", HOW_TIME) from None


Time = Annotated[
    float,
    BeforeValidator(_to_seconds),
    WithJsonSchema({"type": "string", "pattern": f"^{TIME}$"}),
]
"""Seconds from the start of a video."""

_PROBABILITIES: Final[dict[str, Any]] = {name: (float, Field(ge=0, le=1)) for name in EXPRESSIONS}
Probabilities = create_model(
    "Probabilities", __doc__="The probability (0-1) of each expression; together 1.", **_PROBABILITIES
)


class FaceAnswer(BaseModel):
    """A face and its expression."""

    box: tuple[int, int, int, int] = Field(
        description="x, y, width, height in pixels of the upright picture, as if the head were upright in it."
    )
    corners: list[tuple[float, float]] = Field(
        description="x and y of the corners of the square that the network saw, turned as the head is: at the "
        "forehead from left to right, then at the chin from right to left. Empty where that was `box`."
    )
    roll: float | None = Field(
        description="Degrees by which the head is tilted, clockwise as seen; null where the detector does not tell."
    )
    yaw: float | None = Field(
        description="Degrees by which it is turned, above 0 to the picture's right, roughly; null likewise."
    )
    profile: bool = Field(description="Whether it is seen from the side, beyond what the network knows.")
    expression: str = Field(
        description="The one shown: in a picture the most probable; in a video it is held against small changes.",
        json_schema_extra={"enum": list(EXPRESSIONS)},
    )
    confidence: float = Field(ge=0, le=1, description="Its probability.")
    uncertain: bool = Field(
        description="Whether no expression is named: the confidence is too low, or was until now, or `profile`."
    )
    probabilities: Probabilities
    as_seen: Probabilities | None = Field(
        None, description="Where the face is compared with its rest: the probabilities without."
    )
    heat_map: str | None = Field(
        None, description="With `explain`: where the model looked; a grey PNG of the box's size, base64-encoded."
    )


class PictureAnswer(BaseModel):
    """The faces in a picture, from left to right."""

    width: int = Field(description="Width of the upright picture in pixels.")
    height: int
    turned: Literal[0, 90, 180, 270] = Field(
        description="Degrees clockwise by which the picture was turned, because there was no face in it as it is; "
        "all else is about the picture so turned."
    )
    note: str = Field(description="What was left out, or why no face can be found, in words; mostly empty.")
    faces: list[FaceAnswer]


class KindAnswer(BaseModel):
    """What a file is."""

    kind: Literal["picture", "video"]


class FrameSize(BaseModel):
    """Size of the video in pixels."""

    width: int
    height: int


class CameraQuery(BaseModel):
    """Which camera."""

    camera: str | None = Field(
        None, max_length=40, description="Its name, where there are several; the first one if not given."
    )


class CameraAnswer(BaseModel):
    """Where one of several cameras stands."""

    name: str
    state: SourceState
    source: str = Field(description="What it shows, in words.")
    reason: str
    fps: float = Field(description="Frames a second whose faces are named.")
    source_fps: float = Field(description="Frames a second that it gives; more than `fps` where the processor is slow.")
    latency_ms: float


class OutputAnswer(BaseModel):
    """Where an output stands, which sends faces to other programs, or what brings markers from them."""

    name: str
    state: OutputState
    reason: str = Field(description="Why it is not connected, or what to do; empty where there is nothing to say.")


class StatusAnswer(BaseModel):
    """Where the video and the model stand."""

    state: SourceState
    source: str = Field(description="What is shown, in words.")
    reason: str = Field(description="Why it is not live, or what to do; empty where there is nothing to say.")
    next_try_in: float | None = Field(description="Seconds until the next attempt while reconnecting.")
    model: str = Field(json_schema_extra={"enum": ["loading", "ready", "failed"]})
    model_reason: str
    fps: float = Field(description="Frames a second over the last seconds.")
    latency_ms: float = Field(description="Milliseconds from capture to the finished picture.")
    viewers: int
    frame: FrameSize | None
    detector: str = Field(
        description="What finds the faces.", json_schema_extra={"enum": list(get_args(DetectorKind))[1:]}
    )
    demo: bool = Field(description="Whether the bundled demo clip is shown.")
    cameras: list[CameraAnswer] = Field(description="All of them, where there are several; else empty.")
    outputs: list[OutputAnswer] = Field(description="What `[outputs]` in config.toml asks for.")
    version: str


SourceKind = Literal["configured", "camera", "demo", "video", "address"]


class SourceChoice(BaseModel):
    """A video that can be shown."""

    id: str
    kind: SourceKind = Field(
        description="What the application was started with, a webcam of the server's, the demo clip, a video that "
        "you sent to /api/jobs, or a network camera."
    )
    name: str


class CurrentSource(BaseModel):
    """What is shown."""

    id: str | None = Field(description="Its id; null where you may not choose it.")
    name: str


class SourcesAnswer(BaseModel):
    """What is shown, and what you may choose."""

    current: CurrentSource
    changeable: bool = Field(description="Whether server.change_source lets visitors change it.")
    choices: list[SourceChoice]
    hosts: list[str] = Field(description="The beginnings of the addresses that you may choose.")


class SourceBody(BaseModel):
    """What to show: one of the two."""

    id: str | None = Field(None, max_length=100, description="As /api/sources lists it.")
    address: str | None = Field(
        None,
        max_length=1000,
        description="A network camera's; server.allowed_addresses says which.",
        examples=["rtsp://192.168.1.20/stream"],
    )


class HealthAnswer(BaseModel):
    """The server answers."""

    status: str
    model: str
    time: float = Field(description="By the clock that frames are timed by, in seconds since 1970.")


class ProblemDetail(BaseModel):
    """What went wrong."""

    code: str = Field(description="For programs; stays the same from version to version.", examples=["image_missing"])
    message: str = Field(description="For people; says what to do.")


class ProblemAnswer(BaseModel):
    """Every error looks like this."""

    error: ProblemDetail


class FrameQuery(BaseModel):
    """Which video a frame belongs to."""

    stream: str = Field(
        pattern=r"^[A-Za-z0-9_-]{16,64}$",
        description="16 to 64 random letters, digits, - or _, the same for all frames of a video.",
    )


class RestQuery(CameraQuery):
    """Which face."""

    face: int = Field(ge=1, description="Its `id`, while it is in view.")
    stream: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_-]{16,64}$",
        description="The `stream` of a video whose frames you send; without it, the server's video, for all who watch.",
    )


class MarkerBody(BaseModel):
    """What begins now."""

    label: str = Field(
        max_length=60, description="Up to 60 characters; empty where nothing begins, and what was before ends."
    )


class MarkerDescription(BaseModel):
    """What began, and when."""

    label: str
    time: float = Field(description="Seconds since 1970.")


class MarkerAnswer(BaseModel):
    """The marker that was set."""

    marker: MarkerDescription


class MarkersAnswer(BaseModel):
    """The latest markers, the oldest first."""

    markers: list[MarkerDescription]


class RestBody(BaseModel):
    """What a face looks like at rest, as the page saves it."""

    resting_face: Probabilities


class TrackedFace(FaceAnswer):
    """A face that is followed from frame to frame."""

    id: int = Field(description="Stays the same while the face is followed.")


class FrameAnswer(BaseModel):
    """The faces in a frame."""

    width: int
    height: int
    faces: list[TrackedFace]
    timings: dict[str, float] = Field(description="Milliseconds by stage.")


class VideoPath(BaseModel):
    """Which video."""

    job_id: str = Field(description="As answered when the video was sent.")


class ResultPath(VideoPath):
    """Which of a video's results."""

    name: str = Field(description="One of the names in `files`.")


class ResultQuery(BaseModel):
    """How to return a file."""

    download: bool = Field(False, description="To be saved under a name like the video's.")


class VideoQuery(BaseModel):
    """How to analyse a video."""

    blur: bool = Field(False, description="Make faces unrecognisable in everything that is made of the video.")
    fps: float | None = Field(
        None, ge=0.1, le=240, description="Look at so many frames a second at most; at all of them if not given."
    )
    start: Time | None = Field(
        None, description="Look at it from this time on, such as 30 or 0:30; from its start if not given."
    )
    end: Time | None = Field(None, description="Look at it up to this time; to its end if not given.")


class VideoDescription(BaseModel):
    """A video, and how far its analysis is."""

    id: str
    name: str
    state: str = Field(json_schema_extra={"enum": ["queued", "running", "done", "failed"]})
    created: float = Field(description="Seconds since 1970.")
    ahead: int = Field(description="How many videos come before it, as visitors take turns.")
    starts_in_seconds: float | None = Field(description="Estimate of when its turn comes, while it waits.")
    estimated_seconds: float | None = Field(description="Estimate of what its analysis will take, while it waits.")
    progress: float = Field(ge=0, le=1)
    seconds: float = Field(description="Seconds of the video that are analysed; 0 where the file does not say.")
    remaining_seconds: float | None = Field(description="What the analysis will still take.")
    error: ProblemDetail | None
    blurred: bool = Field(description="Whether faces are made unrecognisable.")
    fps: float | None = Field(description="Frames a second that are looked at, at most; null for all.")
    start: float = Field(description="From where it is looked at, in seconds.")
    end: float | None = Field(description="To where it is looked at, in seconds; null for its end.")
    rest: str = Field(description="Where the resting faces come from; empty where faces are not compared with any.")
    expires: float | None = Field(description="When all will be deleted; seconds since 1970.")
    files: dict[str, str] = Field(description="Names and addresses of the results.")


class VideoAnswer(BaseModel):
    """One video."""

    job: VideoDescription


class VideoLimits(BaseModel):
    """What is allowed."""

    max_megabytes: float
    max_seconds: float
    max_megapixels: float
    max_gigapixels: float = Field(description="Of all frames of a video together.")
    max_jobs: int
    keep_seconds: float


class VideosAnswer(BaseModel):
    """The visitor's videos, the oldest first."""

    jobs: list[VideoDescription]
    limits: VideoLimits


class PictureForm(BaseModel):
    """A picture to analyse; it is not stored."""

    image: FileStorage = Field(description="JPEG, PNG, WebP, AVIF, HEIC, GIF, TIFF or BMP, told by its content.")
    rest: RestBody | None = Field(None, description="What the largest face looks like at rest.")


class PredictQuery(BaseModel):
    """What to answer besides."""

    explain: bool = Field(False, description="Add to each face where the model looked.")


class AnnotateQuery(BaseModel):
    """What to draw."""

    marks: bool = Field(True, description="Mark the faces; without, the picture is just turned upright.")
    labels: bool = Field(True, description="Name expressions.")
    blur: bool = Field(False, description="Make faces unrecognisable.")


class FeedQuery(CameraQuery, AnnotateQuery):
    """Which camera, and what to draw."""


class LiveQuery(CameraQuery):
    """Which camera, and how to stream it."""

    blur: bool = Field(False, description="Make faces unrecognisable.")
    rate: int | None = Field(
        None,
        ge=50,
        le=1_000_000,
        description="At most so many kbit/s, by smaller pictures and fewer of them; without it, every frame comes in "
        "full size.",
    )
    single: bool = Field(False, description="End after one picture: for proxies that hold back what does not end.")


class FacesBody(BaseModel):
    """What to change about the faces of a video."""

    action: Literal["rename", "merge", "split", "undo"]
    face: int | None = Field(None, description="The face's number; `undo` needs none.")
    name: str | None = Field(None, max_length=60, description="To rename: its name; empty takes the name away.")
    into: int | None = Field(None, description="To merge: the number of the face that is the same person, and stays.")
    at: float | None = Field(None, ge=0, description="To split: from these seconds on it is another face.")


class NamedFace(BaseModel):
    """A face of a video; summary.json has more about it."""

    id: int
    name: str
    first_seen: float = Field(description="Seconds.")
    last_seen: float
    seconds: float = Field(description="For how long it is seen.")


class FacesAnswer(BaseModel):
    """The faces as they are now, the longest seen first."""

    changes: int = Field(description="How many changes can be undone.")
    faces: list[NamedFace]
