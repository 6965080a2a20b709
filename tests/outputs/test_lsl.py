"""Faces by the Lab Streaming Layer, and markers from it, through real inlets and outlets on this machine."""

import os
import re
import time
from collections.abc import Iterator
from math import isnan
from pathlib import Path

import pylsl
import pytest
import pyxdf

from config import LslSettings
from entities import EXPRESSIONS, SourceState
from outputs.lsl import CHANNELS, LslSession, _figures_info
from outputs.lsl_markers import MarkerInlet
from tests.outputs.receivers import PATIENCE, face, frame, run_example, sending, until
from tests.outputs.xdf import write_xdf
from web.marker_log import MarkerLog

NAME = f"expressions-of-test-{os.getpid()}"
SETTINGS = LslSettings(enabled=True, name=NAME, faces=2)


def found(name: str) -> pylsl.StreamInlet:
    """Return an open inlet of a stream."""
    (info,) = pylsl.resolve_byprop("name", name, 1, PATIENCE)
    inlet = pylsl.StreamInlet(info)
    inlet.open_stream(PATIENCE)
    return inlet


@pytest.fixture(scope="module")
def session() -> Iterator[LslSession]:
    """Return the app's streams."""
    session = LslSession(SETTINGS)
    yield session
    session.close()


@pytest.fixture(scope="module")
def figures(session: LslSession) -> pylsl.StreamInlet:
    """Return an inlet of the figures."""
    return found(NAME)


def pulled(inlet: pylsl.StreamInlet, *numbers: int) -> tuple[list[list[float]], list[float]]:
    """Return the samples in whose first slot these faces are, and their times; what came before is skipped."""
    place = [name for name, _, _ in CHANNELS].index("number")
    samples = [inlet.pull_sample(PATIENCE)]
    while samples[0][0][place] != numbers[0]:
        samples = [inlet.pull_sample(PATIENCE)]
    samples += [inlet.pull_sample(PATIENCE) for _ in numbers[1:]]
    assert [sample[place] for sample, _ in samples] == list(numbers)
    return [sample for sample, _ in samples], [moment for _, moment in samples]


@pytest.fixture(scope="module")
def changes(session: LslSession) -> pylsl.StreamInlet:
    """Return an inlet of the changes."""
    return found(f"{NAME}-changes")


def test_a_sample_has_the_figures_of_each_slot_at_the_time_of_capture(session: LslSession, figures: pylsl.StreamInlet):
    """On LSL's clock, however late it is sent; a free slot, and what is not known, is not a number."""
    captured = pylsl.local_clock() - 1.5
    session.send(frame(face(70, "Sad"), captured_at=time.monotonic() - 1.5))
    (sample,), (moment,) = pulled(figures, 70)
    assert moment == pytest.approx(captured, abs=0.005)
    labels = figures.info(PATIENCE).get_channel_labels()
    values = dict(zip(labels, sample, strict=True))
    first = {name: values[f"face1_{name}"] for name, _, _ in CHANNELS}
    assert {name: first[name] for name in EXPRESSIONS} == {
        name: pytest.approx(0.7 if name == "Sad" else 0.05) for name in EXPRESSIONS
    }
    others = ("valence", "confidence", "x", "y", "width", "roll", "yaw", "number")
    assert [first[name] for name in others] == pytest.approx([-0.65, 0.7, 8, 4, 32, 5, -10, 70])
    assert all(isnan(values[f"face2_{name}"]) for name, _, _ in CHANNELS)


def test_the_stream_describes_itself(figures: pylsl.StreamInlet):
    """So that a recording is understood years later; readers find it again by its source id after a restart."""
    info = figures.info(PATIENCE)
    assert (info.type(), info.nominal_srate(), info.channel_format()) == (
        "Expressions",
        pylsl.IRREGULAR_RATE,
        pylsl.cf_float32,
    )
    assert info.get_channel_labels()[:2] == ["face1_Angry", "face1_Disgust"]
    assert info.get_channel_units()[7:12] == ["-1 to 1", "0-1", "pixels", "pixels", "pixels"]
    assert info.get_channel_types()[12:16] == ["Orientation", "Orientation", "Identifier", "Probability"]
    assert info.source_id() == _figures_info(SETTINGS).source_id() != ""


def test_changes_are_told_as_texts(session: LslSession, changes: pylsl.StreamInlet):
    """An expression when it is another one, a face that has left, the camera's state; else nothing."""
    for faces in ([], [face(99)], [face(99)], [face(99, "Sad")], []):
        session.send(frame(*faces))
    session.tell(SourceState.RECONNECTING)
    told = iter(lambda: changes.pull_sample(PATIENCE)[0][0], "camera: reconnecting")
    assert [text for text in told if "99" in text] == ["face 99: Happy", "face 99: Sad", "face 99: gone"]


def test_a_recording_is_read_back(session: LslSession, figures: pylsl.StreamInlet, tmp_path: Path):
    """As XDF, by pyxdf: values, times, and what the channels are."""
    captured = {30 + index: time.monotonic() - 1 + index / 30 for index in range(5)}
    for number, moment in captured.items():
        session.send(frame(face(number), captured_at=moment))
    samples, times = pulled(figures, *captured)
    write_xdf(tmp_path / "recording.xdf", [(figures.info(PATIENCE).as_xml(), samples, times)])
    (stream,), _ = pyxdf.load_xdf(tmp_path / "recording.xdf")
    channels = stream["info"]["desc"][0]["channels"][0]["channel"]
    labels = [channel["label"][0] for channel in channels]
    assert stream["info"]["name"] == [NAME]
    assert len(labels) == stream["time_series"].shape[1] == 2 * len(CHANNELS)
    assert stream["time_series"][:, labels.index("face1_number")].tolist() == list(captured)
    assert stream["time_stamps"].tolist() == pytest.approx(
        [moment - time.monotonic() + pylsl.local_clock() for moment in captured.values()], abs=0.005
    )


def test_the_reader_in_the_documentation_runs(session: LslSession, tmp_path: Path, capsys):
    """The Python code in docs/outputs.md prints what the app sends."""
    with sending(lambda: session):
        run_example(0, tmp_path, {'"expressions"': f'"{NAME}"', "300": "3"})
    assert re.fullmatch(r"(\d+\.\d{3} 0\.70\n){3}", capsys.readouterr().out)


def test_the_experiment_in_the_documentation_sets_markers(tmp_path: Path):
    """Three markers, of which the last ends the one before."""
    markers = MarkerLog()
    inlet = MarkerInlet(LslSettings(markers="trials"), markers.add)
    inlet.start()
    run_example(1, tmp_path, {})
    until(lambda: inlet.sent == 3)
    inlet.close()
    assert [marker.label for marker in markers.all()] == ["sea", "street", ""]


def test_nobody_who_reads_is_said(session: LslSession, figures: pylsl.StreamInlet):
    """It is no fault, and the one who set up a recording wants to know."""
    assert session.check() == ""
    alone = LslSession(LslSettings(enabled=True, name=f"{NAME}-alone"))
    assert alone.check() == "Nobody reads it now."
    alone.close()


def marker_outlet(name: str) -> pylsl.StreamOutlet:
    """Return a stream of markers, as a program for experiments sends one."""
    return pylsl.StreamOutlet(pylsl.StreamInfo(name, f"Trials-{NAME}", 1, pylsl.IRREGULAR_RATE, pylsl.cf_string, name))


def run_experiment(run: str, inlet: MarkerInlet, markers: MarkerLog) -> None:
    """Send two markers, the second of which is the earlier one, and vanish; see what came in."""
    outlet = marker_outlet(f"trials-{os.getpid()}")
    until(lambda: inlet.status.state == "connected")
    before = inlet.sent
    began, stamp, sent = time.monotonic(), pylsl.local_clock(), time.monotonic()
    outlet.push_sample([f"film {run}\n"], stamp)
    outlet.push_sample([f"before {run}"], stamp - 0.25)
    until(lambda: inlet.sent == before + 2)
    earlier, film = markers.all()[-2:]
    assert (earlier.label, film.label) == (f"before {run}", f"film {run}")
    assert began - 0.005 < film.moment < sent + 0.005
    assert began - 0.255 < earlier.moment < sent - 0.245
    assert film.time - earlier.time == pytest.approx(0.25, abs=0.005)
    del outlet
    until(lambda: inlet.status.state == "reconnecting")


def test_markers_come_in_at_their_times_and_again_after_a_restart():
    """Within 5 ms of when they were sent, also where they arrive late; our own stream of changes is none."""
    markers = MarkerLog()
    inlet = MarkerInlet(LslSettings(markers=f"Trials-{NAME}"), markers.add)
    inlet.start()
    until(lambda: inlet.status.reason.startswith("There is no stream of the name or type Trials-"))
    assert inlet.status.state == "connecting"
    for run in ("1", "2"):
        run_experiment(run, inlet, markers)
    inlet.close()


def test_our_own_changes_are_no_markers(session: LslSession):
    """Although they have the type that most programs for experiments send; here, even the name."""
    name = f"{NAME}-changes"
    markers = MarkerLog()
    foreign = pylsl.StreamOutlet(pylsl.StreamInfo(name, "", 1, pylsl.IRREGULAR_RATE, pylsl.cf_int32, "foreign"))
    inlet = MarkerInlet(SETTINGS.model_copy(update={"markers": name}), markers.add)
    inlet.start()
    until(lambda: inlet.status.state == "connected")
    session.send(frame(face(200)))
    foreign.push_sample([17])
    until(lambda: inlet.sent > 0)
    assert [marker.label for marker in markers.all()] == ["17"]
    inlet.close()
