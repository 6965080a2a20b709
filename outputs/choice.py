"""Which outputs the settings ask for; a library is imported only where it is needed."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from math import inf
from urllib.parse import urlsplit

from camera import VideoCamera
from config import OutputSettings
from outputs.output import Connection, Output
from outputs.sender import Sender
from parts import require


def chosen_outputs(
    settings: OutputSettings, cameras: Mapping[str, VideoCamera], mark: Callable[[str, float], object]
) -> list[Connection]:
    """Return what the settings ask for, with nothing started.

    Args:
        settings: All of them.
        cameras: Whose faces are sent, by name; the only one has none.
        mark: Called with the label of each marker that comes in, and its moment on the monotonic clock.

    Raises:
        MissingLibraryError: One of them needs a library that is not installed.

    """
    with require():
        chosen: list[Connection] = [
            Sender(output, camera) for name, camera in cameras.items() for output in _outputs(named(settings, name))
        ]
        if settings.lsl.markers:
            from outputs.lsl_markers import MarkerInlet

            chosen.append(MarkerInlet(settings.lsl, mark))
        return chosen


def named(settings: OutputSettings, camera: str) -> OutputSettings:
    """Return the settings with the camera's name in every address, where it has one."""
    if not camera:
        return settings
    names = {
        "osc": settings.osc.model_copy(update={"prefix": f"{settings.osc.prefix}/{camera}"}),
        "mqtt": settings.mqtt.model_copy(update={"topic": f"{settings.mqtt.topic}/{camera}"}),
        "lsl": settings.lsl.model_copy(update={"name": f"{settings.lsl.name}-{camera}"}),
    }
    return settings.model_copy(update=names)


def _outputs(settings: OutputSettings) -> Iterator[Output]:
    """Yield the outputs of one camera."""
    osc, mqtt, lsl = settings.osc, settings.mqtt, settings.lsl
    if osc.receivers:
        from outputs.osc import OscSession

        for receiver in osc.receivers:
            yield Output(f"OSC to {receiver}{osc.prefix}", osc.rate, partial(OscSession, receiver, osc))
    if mqtt.broker:
        from outputs.mqtt import MqttSession

        yield Output(f"MQTT to {urlsplit(mqtt.broker).netloc}, {mqtt.topic}", mqtt.rate, partial(MqttSession, mqtt))
    if lsl.enabled:
        from outputs.lsl import LslSession

        yield Output(f"LSL as {lsl.name}", inf, partial(LslSession, lsl))
