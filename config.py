"""Settings: config.toml, overridden by environment variables, overridden by the command line.

`load_settings` reads and validates all three once; what it returns never changes.
"""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

ROOT = Path(__file__).resolve().parent
DEMO_CLIP = ROOT / "static" / "demo.mp4"


class Section(BaseModel):
    """A group of settings; unknown keys are errors, values never change."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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
    jpeg_quality: Annotated[int, Field(ge=1, le=100)] = Field(80, description="JPEG quality of the stream.")
    idle_seconds: Annotated[float, Field(ge=0, le=3600)] = Field(
        5, description="The source is closed this long after the last viewer left."
    )


class DetectorSettings(Section):
    """How OpenCV's Haar cascades look for faces."""

    scale_factor: Annotated[float, Field(gt=1, le=2)] = Field(1.1, description="Step between face sizes searched.")
    min_neighbors: Annotated[int, Field(ge=1, le=20)] = Field(5, description="Hits that make a face; more is stricter.")
    min_face: Annotated[float, Field(gt=0, le=1)] = Field(
        0.08, description="Smallest face, as a share of the frame's shorter side."
    )
    profile: bool = Field(False, description="Also look for faces from the side, with a second cascade.")


class ModelSettings(Section):
    """Which network names the expressions, and when it may."""

    architecture: Path = Field(ROOT / "model.json", description="Keras architecture.")
    weights: Path = Field(ROOT / "model_weights.h5", description="Its weights.")
    min_confidence: Annotated[float, Field(ge=0, le=1)] = Field(
        0.4, description='Below this confidence a face is called "uncertain".'
    )
    smoothing: Annotated[float, Field(ge=0, le=10)] = Field(
        0.25, description="Time constant, in seconds, over which a face's probabilities are averaged; 0 for none."
    )


class ServerSettings(Section):
    """Where the application listens, and who may come in."""

    host: str = Field("127.0.0.1", description="Address to listen on; others than loopback require a token.")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(5000, description="Port to listen on; 0 takes a free one.")
    token: str | None = Field(None, description="Access token; made up and printed where one is required and none set.")
    max_viewers: Annotated[int, Field(ge=1, le=1000)] = Field(150, description="Streams served at once.")


class UploadSettings(Section):
    """Limits on what visitors send."""

    max_megabytes: Annotated[float, Field(gt=0, le=10000)] = Field(20, description="Largest picture file.")
    max_megapixels: Annotated[float, Field(gt=0, le=200)] = Field(50, description="Largest picture.")


class Settings(Section):
    """Everything that can be set."""

    source: int | str = Field("auto", description='"auto", a webcam\'s number, a file\'s path, or an rtsp/http address.')
    video: VideoSettings = VideoSettings()
    detector: DetectorSettings = DetectorSettings()
    model: ModelSettings = ModelSettings()
    server: ServerSettings = ServerSettings()
    uploads: UploadSettings = UploadSettings()
