"""A video that a visitor sent: what is known of it, how it is to be analysed, and its place in the queue."""

from dataclasses import dataclass
from enum import StrEnum
from math import inf

from vision.sampling import Sampling


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class VideoOptions:
    """How a video is to be analysed."""

    rest: str = ""
    """Where the resting faces come from, as `parse_rest` reads it; empty where none are wanted."""
    blur: bool = False
    """Whether faces are hidden in what is made of it."""
    fps: float | None = None
    """Frames a second that are looked at, at most."""
    start: float = 0.0
    """From where it is looked at, in seconds."""
    end: float | None = None
    """To where it is looked at, in seconds; to its end if not given."""

    @property
    def sampling(self) -> Sampling:
        """Which frames are looked at."""
        return Sampling(fps=self.fps, begin=self.start, end=inf if self.end is None else self.end)


@dataclass(frozen=True, slots=True)
class Job:
    """A video that a visitor sent. Times are in seconds since 1970, lengths in seconds of the video."""

    number: int
    """Rises from job to job."""
    id: str
    owner: str
    """The visitor's random id."""
    network: str
    """Stands for where it came from; empty if unknown."""
    name: str
    """What the visitor calls the video; never a path."""
    state: JobState
    created: float
    started: float | None
    """When the work on its frames began, in the attempt that counts."""
    finished: float | None
    done: float
    total: float
    work: float
    """What its analysis costs, in pixels (see `limits.work_in`), as far as known."""
    attempts: int
    code: str
    message: str
    """Why it failed."""
    options: VideoOptions

    def remaining(self, now: float) -> float | None:
        """Return the seconds that a running job still takes if it goes on as it did; None if unknown."""
        if self.state is not JobState.RUNNING or self.started is None or self.done <= 0:
            return None
        return max(0.0, (self.total - self.done) * (now - self.started) / self.done)


@dataclass(frozen=True, slots=True)
class Place:
    """A job's place in the queue."""

    ahead: int
    """How many jobs, of all visitors, come before it if no others are sent."""
    wait: float
    """Seconds until its turn."""
    work: float
    """Seconds that its analysis will take."""
