"""Faces by OSC, received by a real server of the library on loopback."""

import time
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from threading import Thread

import pytest
from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_server import BlockingOSCUDPServer

from config import OscSettings
from entities import EXPRESSIONS, SourceState
from errors import OutputError
from outputs.osc import OscSession
from tests.outputs.receivers import PATIENCE, face, frame, free_port, run_example, sending


class Receiver(BlockingOSCUDPServer):
    """Keeps each bundle's messages, and its bytes."""

    def __init__(self, port: int = 0) -> None:
        dispatcher = Dispatcher()
        dispatcher.set_default_handler(self._note)
        super().__init__(("127.0.0.1", port), dispatcher)
        self.bundles: Queue[tuple[OscBundle, dict[str, list[object]]]] = Queue()
        self._messages: dict[str, list[object]] = {}
        self._thread = Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def _note(self, address: str, *values: object) -> None:
        self._messages[address] = list(values)

    def process_request(self, request, client_address) -> None:
        """Handle a datagram, then keep what was in it."""
        self._messages = {}
        super().process_request(request, client_address)
        self.bundles.put((OscBundle(request[0]), self._messages))

    def next_messages(self) -> dict[str, list[object]]:
        """Return the messages of the next bundle that has any."""
        while not (messages := self.bundles.get(timeout=PATIENCE)[1]):
            pass
        return messages

    def stop(self) -> None:
        """Give the port back."""
        self.shutdown()
        self._thread.join()
        self.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Return a server that listens."""
    server = Receiver()
    yield server
    server.stop()


@pytest.fixture
def address(receiver: Receiver) -> str:
    """Return where it listens."""
    return f"127.0.0.1:{receiver.server_address[1]}"


def test_a_bundle_has_every_face(receiver: Receiver, address: str):
    """Probabilities, what is shown, the box as shares of the picture, the head; no more faces than slots."""
    session = OscSession(address, OscSettings(faces=1))
    session.send(frame(face(7, "Happy"), face(9, "Sad", size=8)))
    messages = receiver.next_messages()
    session.close()
    assert messages.pop("/faces") == [2]
    assert messages.pop("/face/1/id") == [7]
    assert messages.pop("/face/1/expression") == ["Happy"]
    assert messages.pop("/face/1/box") == pytest.approx([8 / 64, 4 / 48, 32 / 64, 32 / 48])
    assert messages.pop("/face/1/roll") == [5.0]
    assert messages.pop("/face/1/yaw") == [-10.0]
    assert messages.pop("/face/1/confidence") == pytest.approx([0.7])
    assert messages.pop("/face/1/valence") == pytest.approx([0.65])
    expected = {f"/face/1/{name.lower()}": [pytest.approx(0.7 if name == "Happy" else 0.05)] for name in EXPRESSIONS}
    assert messages == expected


def test_a_bundle_has_the_time_of_the_capture(receiver: Receiver, address: str):
    """Not that of sending: two seconds have passed since."""
    session = OscSession(address, OscSettings())
    captured = time.time() - 2
    session.send(frame(face(1), captured_at=time.monotonic() - 2))
    bundle, messages = receiver.bundles.get(timeout=PATIENCE)
    while not messages:
        bundle, messages = receiver.bundles.get(timeout=PATIENCE)
    session.close()
    assert bundle.timestamp == pytest.approx(captured, abs=0.1)


def test_a_slot_that_is_free_again_is_told_once(receiver: Receiver, address: str):
    """So that no avatar goes on smiling."""
    session = OscSession(address, OscSettings())
    for faces in ([face(3)], [], []):
        session.send(frame(*faces))
    session.tell(SourceState.RECONNECTING)
    received = [receiver.next_messages() for _ in range(4)]
    session.close()
    assert received[0]["/face/1/id"] == [3]
    assert received[1] == {"/faces": [0], "/face/1/id": [0], "/face/1/expression": [""]}
    assert received[2] == {"/faces": [0]}
    assert received[3] == {"/camera": ["reconnecting"]}


def test_every_address_has_the_prefix(receiver: Receiver, address: str):
    """As a receiver wants it that has other senders, too."""
    session = OscSession(address, OscSettings(prefix="/avatar/parameters"))
    session.send(frame(face(1)))
    messages = receiver.next_messages()
    session.close()
    assert messages
    assert all(name.startswith("/avatar/parameters/face") for name in messages)


def test_nobody_who_listens_is_an_error_that_says_where():
    """At the start, and after the receiver has gone."""
    port = free_port()
    with pytest.raises(OutputError, match=f"Nobody listens at 127.0.0.1:{port}"):
        OscSession(f"127.0.0.1:{port}", OscSettings())
    receiver = Receiver(port)
    session = OscSession(f"127.0.0.1:{port}", OscSettings())
    session.send(frame(face(1)))
    assert receiver.next_messages()
    receiver.stop()
    session.send(frame(face(1)))
    with pytest.raises(OutputError, match="Nobody listens"):
        session.send(frame(face(1)))
    session.close()


def test_the_receiver_in_the_documentation_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """The Python code in docs/outputs.md prints what the app sends."""
    port = free_port()
    with sending(lambda: OscSession(f"127.0.0.1:{port}", OscSettings())):
        run_example(2, tmp_path, {"9000": str(port), "300": "5"})
    lines = capsys.readouterr().out.splitlines()
    assert lines
    assert set(lines) == {"/face/1/expression Happy"}
