"""What Home Assistant has to be told so that the app's entities are there by themselves.

https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery
"""

from collections.abc import Iterator
from typing import Any, Final

from config import VERSION, MqttSettings
from entities import EXPRESSIONS, SourceState

NOBODY: Final = "Nobody"
UNCERTAIN: Final = "Uncertain"
EXPRESSION: Final = (
    "{% set face = value_json.faces | first %}"
    f"{{{{ '{NOBODY}' if face is not defined else '{UNCERTAIN}' if face.uncertain else face.expression }}}}"
)
"""The expression of the first face, as a template."""


def discovery_messages(settings: MqttSettings) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a topic and a message for each entity; none where there is to be no discovery."""
    if not settings.discovery:
        return
    node = settings.topic.replace("/", "_").replace(".", "_").replace("~", "_")
    device = {"identifiers": [node], "name": settings.topic, "sw_version": VERSION}
    for key, entity in _entities(settings.topic).items():
        common = {
            "unique_id": f"{node}_{key}",
            "availability_topic": f"{settings.topic}/status",
            "device": device,
        }
        yield f"{settings.discovery}/sensor/{node}/{key}/config", common | entity


def _entities(topic: str) -> dict[str, dict[str, Any]]:
    return {
        "expression": {
            "name": "Expression",
            "state_topic": f"{topic}/faces",
            "value_template": EXPRESSION,
            "device_class": "enum",
            "options": [*EXPRESSIONS, UNCERTAIN, NOBODY],
            "icon": "mdi:emoticon-outline",
        },
        "faces": {
            "name": "Faces",
            "state_topic": f"{topic}/faces",
            "value_template": "{{ value_json.count }}",
            "state_class": "measurement",
            "icon": "mdi:account-multiple",
        },
        "camera": {
            "name": "Camera",
            "state_topic": f"{topic}/camera",
            "device_class": "enum",
            "options": list(SourceState),
            "icon": "mdi:camera",
        },
    }
