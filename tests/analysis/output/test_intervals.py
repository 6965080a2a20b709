"""Intervals: where an expression begins, peaks and ends, as a table, as subtitles and for ELAN."""

import warnings
from collections import Counter
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pympi.Elan import Eaf

from analysis.output.elan import write_eaf
from analysis.output.events import write_events
from analysis.output.intervals import COLUMNS, find_intervals
from analysis.output.subtitles import write_vtt
from config import Settings
from entities import EXPRESSIONS
from expressions.intervals import GAP, OFF, ON, SHORTEST, find_stretches
from tests.helpers.tables import course, nobody, together

STEP = 0.1


def test_what_is_usual_is_said_once():
    """The settings' defaults are those of the functions."""
    assert Settings().intervals.model_dump() == {"on": ON, "off": OFF, "shortest": SHORTEST, "gap": GAP}


def stretches(values: list[float], **options: float) -> list[list[int]]:
    """Return the stretches of frames that are shown one after the other."""
    starts = np.arange(len(values)) * STEP
    found: list[list[int]] = find_stretches(values, starts, starts + STEP, **options).tolist()
    return found


def test_it_begins_above_one_threshold_and_ends_below_another():
    """What hovers between the two neither begins an interval nor ends one."""
    assert stretches([0.4, 0.6, 0.4, 0.45, 0.9, 0.4, 0.2, 0.2, 0.2, 0.4, 0.4]) == [[1, 4, 5]]


def test_a_short_gap_is_bridged_and_a_long_one_is_not():
    """Two frames of 0.1 s are as long as the gap that is bridged; three are longer."""
    assert stretches([0.9, 0.9, 0.1, 0.1, 0.9, 0.9]) == [[0, 0, 5]]
    assert stretches([0.9, 0.9, 0.1, 0.1, 0.1, 0.9, 0.9]) == [[0, 0, 1], [5, 5, 6]]


def test_what_is_too_short_is_dropped_after_gaps_are_bridged():
    """One frame is noise; two of them with a gap between them are not."""
    assert stretches([0.1, 0.9, 0.1, 0.1, 0.1]) == []
    assert stretches([0.1, 0.9, 0.1, 0.9, 0.1]) == [[1, 1, 3]]


def test_what_is_not_known_ends_it():
    """Frames without a value are bridged like a gap, and never hold an interval open longer."""
    nan = float("nan")
    assert stretches([0.9, 0.9, nan, 0.9, nan, nan, nan, 0.4, 0.9, 0.9]) == [[0, 0, 3], [8, 8, 9]]


def test_a_face_that_was_away_has_to_show_it_anew():
    """After a second out of view, a probability between the thresholds is no interval."""
    starts = np.array([0.0, 0.1, 0.2, 1.5, 1.6, 1.7])
    found = find_stretches([0.9, 0.9, 0.9, 0.4, 0.4, 0.4], starts, starts + STEP)
    assert found.tolist() == [[0, 0, 2]]
    found = find_stretches([0.9] * 6, starts, starts + STEP)
    assert found.tolist() == [[0, 0, 2], [3, 3, 5]]


def test_frames_of_any_length_count_by_their_time():
    """At five frames a second, one frame is as long as the shortest interval."""
    starts = np.arange(4) * 0.2
    assert find_stretches([0.1, 0.9, 0.1, 0.1], starts, starts + 0.2).tolist() == [[1, 1, 1]]


@given(st.lists(st.floats(0, 1), max_size=60), st.floats(0.05, 0.95), st.floats(0, 0.95))
def test_every_interval_is_what_it_is_said_to_be(values: list[float], on: float, off: float):
    """It begins at `on`, has its maximum at its peak, lasts long enough, and is far enough from the next."""
    found = stretches(values, on=on, off=off)
    for first, peak, last in found:
        assert values[first] >= on
        assert values[last] >= min(on, off)
        assert first <= peak <= last
        assert values[peak] == max(values[first : last + 1])
        assert (last + 1 - first) * STEP >= 0.2 - 1e-9
    for (_, _, last), (first, _, _) in pairwise(found):
        assert (first - last - 1) * STEP > 0.2


def test_the_table_says_who_showed_what_and_when():
    """A row an interval of each face in each file, with times in seconds."""
    frames = together(
        course("Happy", [0.1, 0.6, 0.9, 0.6, 0.1], face=1, name="Anna"),
        course("Sad", [0.8] * 5, face=2),
        course("Happy", [0.7] * 5, file="b.mp4", start=2),
        nobody([0.5, 0.6]),
    )
    table = find_intervals(frames)
    assert list(table.columns) == list(COLUMNS)
    assert table["file"].tolist() == ["a.mp4", "a.mp4", "b.mp4"]
    happy = table[(table["file"] == "a.mp4") & (table["expression"] == "Happy")].iloc[0]
    assert (happy["face"], happy["name"]) == (1, "Anna")
    assert happy[["onset", "peak", "offset", "duration"]].tolist() == pytest.approx([0.1, 0.2, 0.4, 0.3])
    assert happy[["mean_probability", "peak_probability"]].tolist() == pytest.approx([0.7, 0.9])
    assert table.iloc[2]["onset"] == pytest.approx(2)


def test_uncertain_and_unusable_frames_are_no_part_of_it():
    """They end an interval, unless they are as few as a gap that is bridged; their probabilities count for nothing."""
    values = [0.9] * 12
    bridged = find_intervals(course("Happy", values, uncertain=[5], unusable=[6]))
    assert bridged["duration"].tolist() == pytest.approx([1.2])
    cut = find_intervals(course("Happy", values, unusable=[5, 6, 7]))
    assert cut["duration"].tolist() == pytest.approx([0.5, 0.4])
    spoilt = course("Happy", [0.6, 0.6, 1.0, 0.6, 0.6], unusable=[2])
    assert find_intervals(spoilt)["peak_probability"].tolist() == pytest.approx([0.6])
    assert find_intervals(spoilt)["mean_probability"].tolist() == pytest.approx([0.6])


def test_the_mean_is_over_time():
    """A frame that stands for twice as long counts twice."""
    frames = course("Happy", [0.6, 0.9]).assign(time=[0.0, 0.1], duration=[0.1, 0.2])
    assert find_intervals(frames)["mean_probability"].tolist() == pytest.approx([0.8])


def test_nobody_shows_nothing():
    """A table without faces, or without rows, has no intervals, and its columns all the same."""
    for frames in (nobody([0, 0.1]), nobody([])):
        table = find_intervals(frames)
        assert len(table) == 0
        assert table.dtypes["onset"] == "float64"


def test_subtitles_say_it_while_it_is_shown(tmp_path: Path):
    """Every cue has its time, the face's name where there is one, and no markup of its own."""
    frames = together(
        course("Happy", [0.9] * 10, face=1, name="<Anna> & Bo", start=3661.5), course("Sad", [0.8] * 5, face=2)
    )
    write_vtt(find_intervals(frames), tmp_path / "a.vtt")
    lines = (tmp_path / "a.vtt").read_text("utf-8").split("\n")
    assert lines[0] == "WEBVTT"
    assert lines[2:4] == ["00:00:00.000 --> 00:00:00.500", "Face 2: Sad 80%"]
    assert lines[5:7] == ["01:01:01.500 --> 01:01:02.500", "&lt;Anna&gt; &amp; Bo: Happy 90%"]


def test_a_single_face_needs_no_number(tmp_path: Path):
    """With one face, its expression says it all; with none, the file is valid and empty."""
    write_vtt(find_intervals(course("Happy", [0.9] * 10)), tmp_path / "a.vtt")
    assert "\nHappy 90%\n" in (tmp_path / "a.vtt").read_text("utf-8")
    write_vtt(find_intervals(nobody([0])), tmp_path / "b.vtt")
    assert (tmp_path / "b.vtt").read_text("utf-8").strip() == "WEBVTT"


def read_eaf(path: Path) -> Eaf:
    """Return what pympi reads; a warning would say that it does not know the format's version."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return Eaf(str(path))


def test_elan_gets_a_tier_a_face_and_expression(tmp_path: Path):
    """Read back, tiers have the intervals in milliseconds, the participant, and the video by both its addresses."""
    frames = together(
        course("Happy", [0.9] * 10, face=1, name="Zoë & <Bo>\x07"),
        course("Happy", [0.9] * 10, face=3, name="Zoë & <Bo>\x07"),
        course("Sad", [0.8] * 5 + [0.1] * 5 + [0.8] * 5, face=2),
    )
    media = tmp_path / "clips" / "my clip#1.mp4"
    write_eaf(find_intervals(frames), tmp_path / "out" / "a" / "intervals.eaf", media)
    document = read_eaf(tmp_path / "out" / "a" / "intervals.eaf")
    tiers = document.get_tier_ids_for_linguistic_type("expression")
    assert set(tiers) == {"Zoë & <Bo> (1) Happy", "Zoë & <Bo> (3) Happy", "Face 2 Sad"}
    assert sorted(document.get_annotation_data_for_tier("Face 2 Sad")) == [(0, 500, "Sad"), (1000, 1500, "Sad")]
    assert document.get_parameters_for_tier("Zoë & <Bo> (3) Happy")["PARTICIPANT"] == "Zoë & <Bo>"
    (linked,) = document.get_linked_files()
    assert linked["MEDIA_URL"] == f"file://{media}", "ELAN takes a path as it is written"
    assert linked["RELATIVE_MEDIA_URL"] == "../../clips/my clip#1.mp4"
    assert linked["MIME_TYPE"] == "video/mp4"


def test_elan_has_a_tier_to_code_each_face_by_hand(tmp_path: Path):
    """It is empty, also for a face without intervals, and takes its values from the seven expressions."""
    table = find_intervals(course("Sad", [0.8] * 5, face=2))
    write_eaf(table, tmp_path / "a.eaf", tmp_path / "a.mp4", faces={2: "", 10: "Zoë\x07"})
    document = read_eaf(tmp_path / "a.eaf")
    assert set(document.get_tier_names()) == {"Face 2 Sad", "Face 2 coding", "Zoë (10) coding"}
    for tier in document.get_tier_ids_for_linguistic_type("coding"):
        assert document.get_annotation_data_for_tier(tier) == []
    assert "ANNOTATOR" not in document.get_parameters_for_tier("Face 2 coding")
    kinds = {document.get_parameters_for_tier(tier)["LINGUISTIC_TYPE_REF"] for tier in document.get_tier_names()}
    types = [document.get_parameters_for_linguistic_type(kind) for kind in kinds]
    assert [kind["CONTROLLED_VOCABULARY_REF"] for kind in types] == ["expressions"] * 2
    entries = document.get_cv_entries("expressions").values()
    assert [value for ((value, *_),), _ in entries] == list(EXPRESSIONS)


@pytest.mark.parametrize("name", ["a.ts", "a.mxf", "a.VOB", "a"])
def test_elan_takes_a_recording_for_a_video_whatever_it_is_called(tmp_path: Path, name: str):
    """Systems say that .ts is a text, and know nothing of others."""
    write_eaf(find_intervals(course("Happy", [0.9] * 10)), tmp_path / "a.eaf", Path(name))
    (linked,) = read_eaf(tmp_path / "a.eaf").get_linked_files()
    assert linked["MIME_TYPE"].startswith("video/")


def test_elan_may_look_beside_the_file(tmp_path: Path):
    """Then the file names no folder of the computer that made it."""
    write_eaf(find_intervals(course("Happy", [0.9] * 10)), tmp_path / "a.eaf", Path("annotated.mp4"))
    (linked,) = read_eaf(tmp_path / "a.eaf").get_linked_files()
    assert (linked["MEDIA_URL"], linked["RELATIVE_MEDIA_URL"]) == ("./annotated.mp4", "./annotated.mp4")
    assert tmp_path.name not in (tmp_path / "a.eaf").read_text("utf-8")


REQUIRED = {
    "ANNOTATION_DOCUMENT": {"DATE", "AUTHOR", "VERSION"},
    "HEADER": set(),
    "MEDIA_DESCRIPTOR": {"MEDIA_URL", "MIME_TYPE"},
    "PROPERTY": set(),
    "TIME_ORDER": set(),
    "TIME_SLOT": {"TIME_SLOT_ID"},
    "TIER": {"TIER_ID", "LINGUISTIC_TYPE_REF"},
    "ANNOTATION": set(),
    "ALIGNABLE_ANNOTATION": {"ANNOTATION_ID", "TIME_SLOT_REF1", "TIME_SLOT_REF2"},
    "ANNOTATION_VALUE": set(),
    "LINGUISTIC_TYPE": {"LINGUISTIC_TYPE_ID"},
    "LANGUAGE": {"LANG_ID"},
    "CONSTRAINT": {"STEREOTYPE"},
    "CONTROLLED_VOCABULARY": {"CV_ID"},
    "DESCRIPTION": {"LANG_REF"},
    "CV_ENTRY_ML": {"CVE_ID"},
    "CVE_VALUE": {"LANG_REF"},
}
OPTIONAL = {
    "ANNOTATION_DOCUMENT": {"FORMAT", "{http://www.w3.org/2001/XMLSchema-instance}noNamespaceSchemaLocation"},
    "HEADER": {"MEDIA_FILE", "TIME_UNITS"},
    "MEDIA_DESCRIPTOR": {"RELATIVE_MEDIA_URL", "TIME_ORIGIN", "EXTRACTED_FROM"},
    "PROPERTY": {"NAME"},
    "TIME_SLOT": {"TIME_VALUE"},
    "TIER": {"PARTICIPANT", "ANNOTATOR", "DEFAULT_LOCALE", "PARENT_REF", "EXT_REF", "LANG_REF"},
    "ALIGNABLE_ANNOTATION": {"SVG_REF", "EXT_REF", "LANG_REF", "CVE_REF"},
    "LINGUISTIC_TYPE": {"TIME_ALIGNABLE", "CONSTRAINTS", "GRAPHIC_REFERENCES", "CONTROLLED_VOCABULARY_REF", "EXT_REF"},
    "LANGUAGE": {"LANG_DEF", "LANG_LABEL"},
    "CONSTRAINT": {"DESCRIPTION"},
    "CONTROLLED_VOCABULARY": {"EXT_REF"},
    "CV_ENTRY_ML": {"EXT_REF"},
    "CVE_VALUE": {"DESCRIPTION"},
}
CHILDREN = {
    "ANNOTATION_DOCUMENT": [
        *("HEADER", "TIME_ORDER", "TIER", "LINGUISTIC_TYPE", "LANGUAGE", "CONSTRAINT", "CONTROLLED_VOCABULARY"),
    ],
    "HEADER": ["MEDIA_DESCRIPTOR", "PROPERTY"],
    "TIME_ORDER": ["TIME_SLOT"],
    "TIER": ["ANNOTATION"],
    "ANNOTATION": ["ALIGNABLE_ANNOTATION"],
    "ALIGNABLE_ANNOTATION": ["ANNOTATION_VALUE"],
    "CONTROLLED_VOCABULARY": ["DESCRIPTION", "CV_ENTRY_ML"],
    "CV_ENTRY_ML": ["CVE_VALUE"],
}
"""What the schema of version 2.8 says of the elements that are used here: attributes, and children in their order."""


@pytest.mark.parametrize("empty", [False, True], ids=["two faces", "no interval"])
def test_the_file_for_elan_is_as_its_schema_says(tmp_path: Path, empty: bool):
    """Elements, their order, attributes, types of values, unique ids and references are those of EAF 2.8."""
    frames = nobody([0]) if empty else together(course("Happy", [0.9] * 10), course("Sad", [0.8] * 9, face=2))
    write_eaf(find_intervals(frames), tmp_path / "a.eaf", tmp_path / "a.mp4")
    root = ET.parse(tmp_path / "a.eaf").getroot()  # noqa: S314
    assert root.tag == "ANNOTATION_DOCUMENT"
    assert (root.get("VERSION"), root.get("FORMAT")) == ("2.8", "2.8")
    for element in root.iter():
        required, optional = REQUIRED[element.tag], OPTIONAL.get(element.tag, set())
        assert required <= set(element.attrib) <= required | optional, element.tag
        order = [CHILDREN.get(element.tag, []).index(child.tag) for child in element]
        assert order == sorted(order), element.tag
    counts = Counter(element.tag for element in root.iter())
    kinds = Counter(tier.attrib["LINGUISTIC_TYPE_REF"] for tier in root.iter("TIER"))
    assert (counts["HEADER"], counts["TIME_ORDER"], kinds["expression"]) == (1, 1, 0 if empty else 2)
    slots = {slot.attrib["TIME_SLOT_ID"]: int(slot.attrib["TIME_VALUE"]) for slot in root.iter("TIME_SLOT")}
    annotations = list(root.iter("ALIGNABLE_ANNOTATION"))
    ids = [*slots, *(annotation.attrib["ANNOTATION_ID"] for annotation in annotations)]
    ids += [constraint.attrib["STEREOTYPE"] for constraint in root.iter("CONSTRAINT")]
    assert len(set(ids)) == len(ids) == counts["TIME_SLOT"] + len(annotations) + counts["CONSTRAINT"]
    languages = {language.attrib["LANG_ID"] for language in root.iter("LANGUAGE")}
    ids += [*languages, *(entry.attrib["CVE_ID"] for entry in root.iter("CV_ENTRY_ML"))]
    assert len(set(ids)) == len(ids)
    assert {element.attrib["LANG_REF"] for element in root.iter() if "LANG_REF" in element.attrib} <= languages
    vocabularies = {vocabulary.attrib["CV_ID"] for vocabulary in root.iter("CONTROLLED_VOCABULARY")}
    assert {kind.attrib["CONTROLLED_VOCABULARY_REF"] for kind in root.iter("LINGUISTIC_TYPE")} <= vocabularies
    for annotation in annotations:
        assert 0 <= slots[annotation.attrib["TIME_SLOT_REF1"]] < slots[annotation.attrib["TIME_SLOT_REF2"]]
    types = {kind.attrib["LINGUISTIC_TYPE_ID"] for kind in root.iter("LINGUISTIC_TYPE")}
    tiers = [tier.attrib for tier in root.iter("TIER")]
    assert {tier["LINGUISTIC_TYPE_REF"] for tier in tiers} <= types
    assert len({tier["TIER_ID"] for tier in tiers}) == len(tiers)


def test_a_file_that_is_there_is_replaced(tmp_path: Path):
    """Nothing else is left beside it: pympi by itself would keep a copy."""
    table = find_intervals(course("Happy", [0.9] * 10))
    for _ in range(2):
        write_eaf(table, tmp_path / "a.eaf", tmp_path / "a.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["a.eaf"]


def test_events_are_as_bids_has_them(tmp_path: Path):
    """Onset and duration come first, and nothing is n/a."""
    write_events(find_intervals(course("Happy", [0.9] * 10, start=1)), tmp_path / "events.tsv")
    header, row = ((tmp_path / "events.tsv").read_text("utf-8")).splitlines()
    assert header.split("\t")[:3] == ["onset", "duration", "trial_type"]
    assert row.split("\t") == ["1.0", "1.0", "Happy", "1", "n/a", "0.9", "0.9"]
