"""Live video in the browser in which every face carries its expression: `python app.py`, or `create_app()`."""

import parts  # noqa: F401  # first: says what is missing of the others

# isort: split
import argparse
import logging
import os
import re
import signal
import socket
import sys
import textwrap
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flask import Flask

from analysis.queue.runner import JobRunner
from analysis.recording.baseline import load_rest
from camera import VideoCamera
from classifier import load_classifier, loaded_once
from config import VERSION, Settings, described, load_settings, settings_by_camera
from entities import Classifier
from errors import ConfigError, FacialExpressionError
from outputs.choice import chosen_outputs
from process import return_memory, share_processors
from vision.detection import FaceDetector
from vision.sources import missing_file
from web import assets, documentation, errors, picture_uploads
from web.access import security
from web.access.limiter import Limiter
from web.json import Json
from web.live_pictures import Drawings
from web.marker_log import MarkerLog
from web.metrics import Metrics
from web.routes import api, frames, jobs, live, markers, pages, private, reports, rests, sources
from web.services import EXTENSION, Services
from web.serving import proxies
from web.serving.server import SPARE_BODIES, Server
from web.serving.slots import Slots
from web.streams import VisitorStreams

log = logging.getLogger(__name__)

FORM_OVERHEAD = 100_000
"""Bytes that a multipart form may have besides the picture in it."""
USAGE_ERROR = 2
LARGE_BLOCK = 4 * 1024 * 1024
"""Bytes; more than a frame of live video has."""
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM)
CLOSING_SECONDS = 1.5
"""Time that streams and threads have to end after a signal."""

DESCRIPTION = "Shows live video in the browser in which every face carries its expression."
EXAMPLES = """\
examples:
  python app.py                                   a webcam if there is one, else the demo clip
  python app.py --source 1                        the second webcam
  python app.py --source left=0 --source right=1  two cameras at once
  python app.py --source holiday.mp4 --no-loop    a video file, once
  python app.py --source rtsp://user:password@192.168.1.20/stream
  python app.py --host 0.0.0.0                    for other devices on the network, with an access token
  python app.py --host 0.0.0.0 --https            and with their own cameras
  python app.py --set video.max_fps=10 --set detector.min_face=0.1

Settings come from config.toml (see config.example.toml), then from environment variables such as FER_SOURCE or
FER_SERVER__PORT, then from here; the later one counts.
"""


def create_app(
    settings: Settings | None = None,
    camera: VideoCamera | Mapping[str, VideoCamera] | None = None,
    classifier: Classifier | None = None,
) -> Flask:
    """Return the application, with nothing started: the first viewer or picture starts what it needs.

    Args:
        settings: By default what `load_settings` reads.
        camera: The only one, or several by their names; by default those of the settings.
        classifier: By default the network that `settings.model` names, loaded in the background.

    Raises:
        FacialExpressionError: The settings are wrong, the source is none, or an output's library is missing.

    """
    settings = security.with_token(settings or load_settings())
    load = loaded_once(lambda: classifier or load_classifier(settings.model))
    each = settings_by_camera(settings)
    given = camera if isinstance(camera, Mapping) else dict.fromkeys(each, camera)
    known = {camera.name: load_rest(camera.rest) for camera in settings.cameras if camera.rest}
    cameras = {name: given[name] or VideoCamera(own, load, rest=known.get(name)) for name, own in each.items()}
    app = documentation.described_app(__name__)
    app.extensions[EXTENSION] = make_services(each, cameras)
    app.request_class = picture_uploads.PictureRequest
    app.config["MAX_CONTENT_LENGTH"] = int(settings.uploads.max_megabytes * 1e6) + FORM_OVERHEAD
    app.json = Json(app)
    app.wsgi_app = proxies.behind_proxies(app.wsgi_app, settings.server)  # type: ignore[assignment,method-assign]
    assets.register(app)
    security.register(app, settings.server.token)
    errors.register(app, settings.uploads.max_megabytes)
    for blueprint in (pages.blueprint, private.blueprint, documentation.blueprint):
        app.register_blueprint(blueprint)
    for room in (api, live, frames, markers, rests, reports, jobs, sources):
        app.register_api(room.blueprint)
    return app


def make_services(settings: Mapping[str, Settings], cameras: Mapping[str, VideoCamera]) -> Services:
    """Return what routes share, for the first camera and by the name of each, with the metrics watching the rest."""
    name, common = next(iter(settings.items()))
    markers = MarkerLog()
    by_name: dict[str, Services] = {}
    services = Services(
        settings=common,
        name=name,
        camera=cameras[name],
        by_camera=by_name,
        detector=FaceDetector(common.detector),
        metrics=Metrics(several=len(cameras) > 1),
        videos=Slots(common.server.max_viewers),
        events=Slots(common.server.max_viewers),
        jobs=JobRunner(common),
        drawings=Drawings(common.video.jpeg_quality),
        streams=VisitorStreams(common.server.max_viewers),
        markers=markers,
        outputs=chosen_outputs(common.outputs, cameras, markers.add),
        analyses=Limiter(common.server.max_viewers + SPARE_BODIES),
    )
    by_name |= {name: services} | {
        other: replace(
            services,
            settings=own,
            name=other,
            camera=cameras[other],
            drawings=Drawings(own.video.jpeg_quality),
            detector=FaceDetector(own.detector),
        )
        for other, own in settings.items()
        if other != name
    }
    for each, camera in cameras.items():
        services.metrics.watch_camera(each, camera)
    services.metrics.watch_viewers("video", lambda: services.videos.taken)
    services.metrics.watch_viewers("events", lambda: services.events.taken)
    services.metrics.watch_outputs(services.outputs)
    return services


def serve(app: Flask) -> None:
    """Serve until SIGTERM or Ctrl-C, then end all streams.

    Raises:
        ServerError: The address cannot be listened on.

    """
    services: Services = app.extensions[EXTENSION]
    addresses = own_addresses()
    hosts = {"localhost", "127.0.0.1", "::1", *addresses}
    context = None
    if services.settings.server.https:
        from web.serving.certificates import tls_context  # with cryptography, for which most starts need not wait

        context = tls_context(services.settings.server, hosts)
    server = Server(app, services.settings.server, context)
    server.listen()
    print(welcome(services.settings, server.bind_addr[1], addresses), flush=True)
    each = services.by_camera.values()
    for own in each:
        if path := missing_file(own.settings.source, own.settings.video):
            log.warning("There is no file %s to show. Check the path.", path)
    try:
        for name in ENDING_SIGNALS:
            signal.signal(name, _end)
        for own in each:
            own.camera.start_loading()
        services.jobs.wake()
        for output in services.outputs:
            output.start()
        server.serve()
    except SystemExit:
        pass  # which _end raised
    finally:
        for output in services.outputs:
            output.close()
        for own in each:
            own.camera.close()
        services.jobs.close()
        server.stop()


def _end(*_: object) -> None:
    """End what is served, and the process soon after, whatever is still closing then."""
    for name in ENDING_SIGNALS:
        signal.signal(name, signal.SIG_IGN)  # one is enough
    last_resort = threading.Timer(CLOSING_SECONDS, os._exit, [0])
    last_resort.daemon = True
    last_resort.start()
    sys.exit()


def welcome(settings: Settings, port: int, own: Sequence[str]) -> str:
    """Return the addresses to open, with the token where one is needed; `own` are this computer's on the network."""
    server = settings.server
    hosts = [server.host]
    if server.host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not listened on
        hosts = ["127.0.0.1", *own]
    path = f"{server.prefix}/?token={quote(server.token, safe='')}" if server.token else server.prefix
    scheme = "https" if server.https else "http"
    lines = ["Open in a browser (Ctrl-C ends):"]
    lines += [f"  {scheme}://{f'[{host}]' if ':' in host else host}:{port}{path}" for host in hosts]
    if server.proxies:
        lines.append(f"Through the proxy: its address, and then {path}")
    if server.https and not server.certificate:
        lines.append("Browsers warn once that nobody vouches for the certificate: it was made on this computer.")
    return "\n".join(lines)


def own_addresses() -> list[str]:
    """Return the address by which other devices reach this computer, as far as there is a network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # chooses a route; nothing is sent
        except OSError:
            return []
        return [probe.getsockname()[0]]


def parse(arguments: Sequence[str]) -> Settings:
    """Return the settings, with the command line's on top.

    Raises:
        ConfigError: A setting is unknown or wrong.

    """
    parser = argparse.ArgumentParser(
        "app.py", description=DESCRIPTION, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )

    def add(flag: str, name: str, **options: Any) -> None:
        parser.add_argument(flag, dest=name, default=argparse.SUPPRESS, help=described(name), **options)

    add("--source", "source", action="append", metavar="SOURCE")
    add("--detector", "detector.kind", metavar="KIND")
    add("--host", "server.host", metavar="HOST")
    add("--port", "server.port", metavar="PORT")
    add("--token", "server.token", metavar="TOKEN")
    add("--https", "server.https", action="store_const", const=True)
    parser.add_argument(
        "--no-loop",
        dest="video.loop",
        default=argparse.SUPPRESS,
        action="store_const",
        const=False,
        help="stop where a video ends",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings, instead of config.toml")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="any other setting")
    parser.add_argument("--verbose", action="store_true", help="say more about what happens")
    parser.add_argument("--version", action="version", version=VERSION)
    given = vars(parser.parse_args(arguments))
    given |= _sources(given.pop("source", []))
    file, others = given.pop("config"), given.pop("set")
    logging.basicConfig(
        level=logging.DEBUG if given.pop("verbose") else logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    for entry in others:
        name, equals, value = entry.partition("=")
        if not equals:
            raise ConfigError(f"--set {entry}: write NAME=VALUE, such as --set video.max_fps=10.")
        given[name] = value
    return load_settings(given, file)


def _sources(given: Sequence[str]) -> dict[str, object]:
    """Return the setting of one source, or of several, SOURCE or NAME=SOURCE; without a name, a number is one."""
    if len(given) < 2:
        return dict(zip(["source"], given, strict=False))
    named = [re.fullmatch(r"(?:([A-Za-z0-9_-]{1,40})=)?(.*)", source) for source in given]
    return {
        "cameras": [
            {"name": match[1] or str(number), "source": match[2]} for number, match in enumerate(named, 1) if match
        ]
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    return_memory(LARGE_BLOCK)
    share_processors()
    try:
        serve(create_app(parse(sys.argv[1:] if arguments is None else arguments)))
    except FacialExpressionError as error:
        print(textwrap.indent(str(error), "error: "), file=sys.stderr)
        return USAGE_ERROR
    return 0


if __name__ == "__main__":
    code = main()
    logging.shutdown()
    sys.stdout.flush()
    os._exit(code)  # threads in a camera's driver may never end; there is nothing left to lose
