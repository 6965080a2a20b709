"""One report on all videos of a visitor, made when it is asked for and kept nowhere."""

import threading
from http import HTTPStatus
from typing import Final

from flask import Response

from analysis.queue.job import Job, JobState, VideoOptions
from analysis.recording.times import clock
from web.access.redaction import without_folders
from web.access.visitors import visitor_id
from web.documentation import VIDEOS, described_blueprint, media, problems
from web.errors import ApiError
from web.services import get_services

blueprint = described_blueprint("reports", __name__, "/api/jobs/report")

MAX_VIDEOS: Final = 100
"""The latest that are in a report, which bounds its size and the time that it takes."""
BUSY_SECONDS: Final = 20.0
"""How long a report waits for one that is being made."""
_ONE_REPORT: Final = threading.Lock()
"""Reports are made one at a time: each takes memory and a processor."""


@blueprint.get(
    "",
    tags=[VIDEOS],
    description="Pictures, plots and tables of the latest 100, with their faces as you named, merged and split them. "
    "The file opens from disk, without a network.",
    responses={
        200: media("text/html", "The report."),
        **problems(HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE),
    },
)
def show() -> Response:
    """Return one report on all of your videos, as an HTML file."""
    services = get_services()
    over = [job for job in services.jobs.store.jobs(visitor_id()) if job.finished is not None]
    if not any(job.state is JobState.DONE for job in over):
        text = "None of your videos has been analysed yet. Send one, or try again when it is done."
        raise ApiError(HTTPStatus.NOT_FOUND, "no_report", text)
    if not _ONE_REPORT.acquire(timeout=BUSY_SECONDS):
        text = "Other reports are being made. Try again soon."
        raise ApiError(HTTPStatus.SERVICE_UNAVAILABLE, "busy", text, {"Retry-After": "10"})
    try:
        page = _page(over)
    finally:
        _ONE_REPORT.release()
    # Saved, not shown: what makes it a single file is what the content policy forbids to pages from here.
    return Response(page, mimetype="text/html", headers={"Content-Disposition": 'attachment; filename="report.html"'})


def _page(jobs: list[Job]) -> str:
    from analysis.study.joint_report import (  # with pandas, which the page itself need not wait for
        Analysed,
        joint_report,
    )

    services, latest = get_services(), jobs[-MAX_VIDEOS:]
    notes = [f"These are the latest {len(latest)} of {len(jobs)} videos."] if len(latest) < len(jobs) else []
    videos = [
        Analysed(
            job.name,
            services.jobs.store.files.results(job.id),
            without_folders(job.message) if job.state is JobState.FAILED else "",
            _part(job.options),
        )
        for job in latest
    ]
    return joint_report(videos, services.settings, notes)


def _part(options: VideoOptions) -> str:
    """Return in words which part of a video, and how many of its frames, were looked at; nothing for all."""
    fps, start, end = options.fps, options.start, options.end
    words = [f"{fps:g} frames a second"] if fps else []
    words += [f"from {clock(start, 1)} on"] if start else []
    words += [f"up to {clock(end, 1)}"] if end is not None else []
    return ", ".join(words)
