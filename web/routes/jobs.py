"""Videos that visitors send: queued, analysed in another process, kept for a while, seen by their sender only."""

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any, Final

from flask import Response, request, send_file, url_for
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser
from werkzeug.wrappers import Response as AnyResponse

from analysis.output.result_folder import VIDEO_FILES
from analysis.queue.job import Job, JobState, Place, VideoOptions
from analysis.recording.baseline import parse_rest
from analysis.recording.limits import check_file_size, check_frames, check_length, length_in, work_in
from analysis.recording.times import clock
from config import UploadSettings
from errors import FacesChangeError, QueueFullError, RestError, ResultsError, SourceError, VideoSizeError
from files import plain
from vision.video.video_file import VideoFile, VideoInfo
from web.access.redaction import without_folders
from web.access.visitors import remember_visitor, visitor_id, visitor_network
from web.documentation import VIDEOS, body, described_blueprint, media, missing_file, problems
from web.errors import ApiError, answer
from web.schemas import (
    FacesAnswer,
    FacesBody,
    ResultPath,
    ResultQuery,
    VideoAnswer,
    VideoPath,
    VideoQuery,
    VideosAnswer,
)
from web.services import get_services

log = logging.getLogger(__name__)
blueprint = described_blueprint("jobs", __name__, "/api/jobs")

FIELD: Final = "file"
REST_FIELD: Final = "rest"
_FORM_OVERHEAD: Final = 100_000
_MAX_NAME: Final = 120
_NO_JOB: Final = (
    "You have no such video. It was deleted, or the request lacks the cookie that was set when you uploaded it."
)
_ONE_CHECK: Final = threading.Lock()
"""Videos are opened one at a time: what a file makes FFmpeg do takes memory."""
_ONE_CHANGE: Final = threading.Lock()
"""Results are written anew one at a time."""


@blueprint.post(
    "",
    tags=[VIDEOS],
    openapi_extensions=body(
        "multipart/form-data",
        {
            "type": "object",
            "properties": {
                FIELD: {"type": "string", "format": "binary"},
                REST_FIELD: {
                    "type": "string",
                    "description": "Compare faces with what they look like at rest: those in a time of the video "
                    "(0:03-0:06) within what is looked at, or, with `auto`, those that are found in it (if that is a "
                    "minute or more).",
                },
            },
            "required": [FIELD],
        },
    ),
    responses={
        HTTPStatus.CREATED: VideoAnswer,
        **problems(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            HTTPStatus.TOO_MANY_REQUESTS,
            HTTPStatus.INSUFFICIENT_STORAGE,
        ),
    },
)
def create(query: VideoQuery) -> tuple[dict[str, Any], HTTPStatus, dict[str, str]]:
    """Take a video (multipart field `file`) into the queue."""
    runner, limits = get_services().jobs, get_services().settings.uploads
    visitor, network = visitor_id(), visitor_network()
    if query.end is not None and query.end <= (query.start or 0.0):
        raise _bad_range("The end must be later than the start.")
    with _refusals(limits):
        size, most, most_each = _announced_size(limits), limits.max_jobs, limits.max_jobs_each
        job_id = runner.store.reserve(visitor, size, most=most, most_each=most_each, network=network)
        try:
            name, rest = _receive(runner.store.files.original(job_id), limits)
            options = _options(query, rest)
            info = _check_video(runner.store.files.original(job_id), limits, options)
            total, work = length_in(info, options.sampling), work_in(info, options.sampling)
            job = runner.store.add(job_id, visitor, name, total, work=work, network=network, options=options)
        except BaseException:
            runner.store.abort_upload(job_id)
            raise
    runner.wake()
    described = _describe(job, runner.store.places())
    return {"job": described}, HTTPStatus.CREATED, {"Location": url_for(".show", job_id=job.id)}


@blueprint.get("", tags=[VIDEOS], responses={200: VideosAnswer})
def index() -> dict[str, Any]:
    """List the visitor's videos, the oldest first, and what is allowed."""
    limits, store = get_services().settings.uploads, get_services().jobs.store
    jobs = store.jobs(visitor_id())
    places = store.places() if jobs else {}
    return {
        "jobs": [_describe(job, places) for job in jobs],
        "limits": {
            "max_megabytes": limits.max_video_megabytes,
            "max_seconds": limits.max_video_seconds,
            "max_megapixels": limits.max_video_megapixels,
            "max_gigapixels": limits.max_video_gigapixels,
            "max_jobs": limits.max_jobs_each,
            "keep_seconds": limits.keep_seconds,
        },
    }


@blueprint.get("/<job_id>", tags=[VIDEOS], responses={200: VideoAnswer, **problems(HTTPStatus.NOT_FOUND)})
def show(path: VideoPath) -> dict[str, Any]:
    """Say how far a video is."""
    return {"job": _describe(_own(path.job_id), get_services().jobs.store.places())}


@blueprint.delete("/<job_id>", tags=[VIDEOS], responses={HTTPStatus.NO_CONTENT: None, **problems(HTTPStatus.NOT_FOUND)})
def delete(path: VideoPath) -> tuple[str, HTTPStatus]:
    """Stop the analysis of a video, and delete it with all that came of it."""
    get_services().jobs.store.delete(_own(path.job_id).id)
    return "", HTTPStatus.NO_CONTENT


@blueprint.patch(
    "/<job_id>/faces",
    tags=[VIDEOS],
    description="Tables, chart, moments and ZIP follow. The annotated video keeps its numbers.",
    responses={200: FacesAnswer, **problems(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)},
)
def faces(path: VideoPath, body: FacesBody) -> dict[str, Any]:
    """Name a face of a video, merge two that are the same person, split one, or undo the last of these changes."""
    job = _own(path.job_id)
    if job.state is not JobState.DONE:
        raise ApiError(
            HTTPStatus.CONFLICT, "not_done", "The video has not been analysed yet. Try again when it is done."
        )
    from analysis.recording import identities  # with what draws charts, which the page itself need not wait for

    folder = get_services().jobs.store.files.results(job.id)
    try:
        with _ONE_CHANGE:
            if body.action == "undo":
                summary = identities.undo_change(folder)
            else:
                summary = identities.change_faces(folder, identities.Change(body.action, **_what(body)))
    except FacesChangeError as error:
        raise ApiError(HTTPStatus.CONFLICT, "faces_not_changed", str(error)) from None
    return {"changes": summary["changes"], "faces": summary["faces"]}


@blueprint.get(
    "/<job_id>/files/<name>",
    tags=[VIDEOS],
    responses={200: media("*/*", "The file."), **problems(HTTPStatus.NOT_FOUND)},
)
def file(path: ResultPath, query: ResultQuery) -> Response:
    """Return one of the results."""
    job = _own(path.job_id)
    result = get_services().jobs.store.files.results(job.id) / path.name
    if path.name not in VIDEO_FILES or job.state is not JobState.DONE or not result.is_file():
        raise ApiError(HTTPStatus.NOT_FOUND, "no_such_file", "There is no such file, or it is not ready yet.")
    saved_as = f"{Path(job.name).stem}-{path.name}" if query.download else None
    response = send_file(
        result, as_attachment=saved_as is not None, download_name=saved_as, conditional=True, max_age=0
    )
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@blueprint.errorhandler(ResultsError)
def unavailable(error: ResultsError) -> Response:
    """Say that the list of videos cannot be had; why, and where it is, is for the log."""
    log.error("%s", error)
    text = "The list of videos is not available right now. Try again soon, or tell whoever runs the app."
    return answer(HTTPStatus.SERVICE_UNAVAILABLE, "videos_unavailable", text)


@blueprint.after_request
def remember(response: AnyResponse) -> AnyResponse:
    """Let who sends something be known again."""
    if request.method == "POST":
        remember_visitor(response, get_services().settings.uploads.keep_seconds)
    return response


def _own(job_id: str) -> Job:
    """Return the visitor's job; for any other the answer is the same as for none."""
    job = get_services().jobs.store.job(visitor_id(), job_id)
    if job is None:
        raise ApiError(HTTPStatus.NOT_FOUND, "no_such_job", _NO_JOB)
    return job


def _what(body: FacesBody) -> dict[str, Any]:
    """Return what a change needs to know; it has to be there."""
    needed = {"rename": "name", "merge": "into", "split": "at"}[body.action]
    if body.face is None or getattr(body, needed) is None:
        text = "Send `face` as well, and with it `name` to rename, `into` to merge, or `at` to split."
        raise ApiError(HTTPStatus.BAD_REQUEST, "bad_parameter", text)
    name = plain(body.name or "")
    return {"face": body.face, "name": name, "into": body.into or 0, "at": body.at or 0.0}


def _describe(job: Job, places: Mapping[str, Place]) -> dict[str, Any]:
    place = places.get(job.id)
    store, keep = get_services().jobs.store, get_services().settings.uploads.keep_seconds
    finished = job.state in {JobState.DONE, JobState.FAILED}
    remaining = job.remaining(store.clock())
    names = [name for name in VIDEO_FILES if (store.files.results(job.id) / name).is_file()] if finished else []
    return {
        "id": job.id,
        "name": job.name,
        "state": job.state,
        "created": job.created,
        "ahead": place.ahead if place else 0,
        "starts_in_seconds": round(place.wait, 1) if place else None,
        "estimated_seconds": round(place.work, 1) if place else None,
        "progress": 1.0 if job.state is JobState.DONE else round(min(1, job.done / job.total if job.total else 0), 4),
        "seconds": round(job.total, 3),
        "remaining_seconds": None if remaining is None else round(remaining, 1),
        "error": {"code": job.code, "message": without_folders(job.message)} if job.state is JobState.FAILED else None,
        "blurred": job.options.blur,
        "fps": job.options.fps,
        "start": job.options.start,
        "end": job.options.end,
        "rest": job.options.rest,
        "expires": None if job.finished is None else job.finished + keep,
        "files": {name: url_for(".file", job_id=job.id, name=name) for name in names},
    }


def _announced_size(limits: UploadSettings) -> int:
    """Return how many bytes may be read of the request; refuse one that says itself that it is too large."""
    most = int(limits.max_video_megabytes * 1e6) + _FORM_OVERHEAD
    request.max_content_length = most
    size = most if request.content_length is None else request.content_length
    if size > most:
        raise RequestEntityTooLarge
    return size


def _receive(path: Path, limits: UploadSettings) -> tuple[str, str]:
    """Write the request's video to `path`, and nowhere else on the way.

    Returns:
        What the visitor calls it, and where its resting faces come from; nothing where none are wanted.

    """
    if request.mimetype != "multipart/form-data":
        raise missing_file(FIELD)
    opened: list[IO[bytes]] = []

    def open_part(*_: object, **__: object) -> IO[bytes]:
        if opened:
            raise ApiError(HTTPStatus.BAD_REQUEST, "one_at_a_time", "Send one video in each request.")
        opened.append(path.open("w+b"))
        return opened[0]

    try:
        parser = FormDataParser(open_part, max_form_memory_size=_FORM_OVERHEAD, silent=False)
        _, form, files = parser.parse(request.stream, request.mimetype, request.content_length, request.mimetype_params)
    except ValueError as error:
        raise ApiError(
            HTTPStatus.BAD_REQUEST, "bad_form", f"The form cannot be read ({error}). Send it again."
        ) from None
    finally:
        for part in opened:
            part.close()
    sent = files.get(FIELD)
    if sent is None:
        raise missing_file(FIELD)
    check_file_size(path, limits)
    if not path.stat().st_size:
        raise ApiError(HTTPStatus.BAD_REQUEST, "file_empty", "The file is empty. Send a video.")
    return _display_name(sent.filename or ""), form.get(REST_FIELD, "").strip()


def _options(query: VideoQuery, rest: str) -> VideoOptions:
    """Return how a video is to be analysed.

    Raises:
        RestError: Where resting faces come from cannot be understood, or is not looked at.

    """
    options = VideoOptions(rest, query.blur, query.fps, query.start or 0.0, query.end)
    span = parse_rest(rest).span if rest else None
    if span and not (span[1] > options.sampling.begin and span[0] < options.sampling.end):
        raise RestError(f"The rest {rest} is not in the part that is analysed. Choose a time within that.")
    return options


def _display_name(name: str) -> str:
    """Return a file's name as a visitor may read it again; it is never used as a path."""
    return plain(name.replace("\\", "/").rpartition("/")[2])[:_MAX_NAME] or "Video"


def _check_video(path: Path, limits: UploadSettings, options: VideoOptions) -> VideoInfo:
    """Return what a video is; raise SourceError if it is none, or not allowed."""
    with _ONE_CHECK, VideoFile(path, limits.max_video_megapixels, limits.max_video_seconds) as video:
        info = video.info
    check_length(info.duration, limits)
    check_frames(info, limits, options.sampling)
    if options.start >= info.duration:
        raise _bad_range(f"The video ends at {clock(info.duration, 1)}, before the start. Choose an earlier one.")
    return info


def _bad_range(words: str) -> ApiError:
    return ApiError(HTTPStatus.BAD_REQUEST, "bad_range", words)


@contextmanager
def _refusals(limits: UploadSettings) -> Iterator[None]:
    """Turn what can be wrong with an upload into answers."""
    try:
        yield
    except RequestEntityTooLarge:
        text = f"The video is larger than the {limits.max_video_megabytes:g} MB allowed. Send a shorter or smaller one."
        raise ApiError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "video_too_large", text) from None
    except VideoSizeError as error:
        raise ApiError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "video_too_large", without_folders(str(error))) from None
    except RestError as error:
        raise ApiError(HTTPStatus.BAD_REQUEST, "bad_rest", str(error)) from None
    except SourceError as error:
        raise ApiError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_video", without_folders(str(error))) from None
    except QueueFullError as error:
        raise ApiError(HTTPStatus.TOO_MANY_REQUESTS, "too_many_videos", without_folders(str(error))) from None
    except (ResultsError, OSError) as error:
        log.error("A video cannot be kept: %s", error)  # noqa: TRY400 - what to do, not where it was noticed
        text = "The server’s disk is full or not writable. Delete other videos, or tell whoever runs the app."
        raise ApiError(HTTPStatus.INSUFFICIENT_STORAGE, "disk_full", text) from error
