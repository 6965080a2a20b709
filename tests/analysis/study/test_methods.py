"""A report's methods: what was done with the files in its tables, whatever the last run was asked."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pandas import DataFrame

from analysis.batch.dataset import Dataset, file_row
from analysis.study.methods import methods, mixed_settings
from config import Settings

DONE = {"state": "done", "kind": "video", "detector": "YuNet", "weights": "abc", "precision": "int8"}


def files(*rows: dict[str, Any]) -> DataFrame:
    """Return a table of files that were analysed, and of one that was not."""
    named = [file_row({"file": f"{number}.mp4", **DONE, **row}) for number, row in enumerate(rows, 1)]
    return pd.concat([*named, file_row({"file": "bad.mp4", "state": "failed"})], ignore_index=True)


def test_methods_are_those_of_the_tables():
    """Detector, rate and weights are what the files were analysed with, though the settings say Haar now."""
    settings = Settings.model_validate({"detector": {"kind": "haar"}})
    told = methods(settings, files({"fps": 5.0}, {"fps": 30.0}))
    assert told["Faces"] == "Found by YuNet."
    assert told["Frames"] == "Of videos, 5 to 30 frames a second were looked at."
    assert "abc" in told["Network"]
    assert told["Resting faces"] == "Faces are not compared with what they look like at rest."


def test_where_no_rest_was_found_nothing_is_said_to_be_compared():
    """`--rest auto` that found nothing in two of three files names these."""
    rows = ({"rest": "found", "compared": compared} for compared in (0, 1, 0))
    told = methods(Settings(), files(*rows))["Resting faces"]
    assert told.endswith("In 2 of 3 files no face was compared: 1.mp4, 3.mp4.")


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"detector": "Haar"}, "detector"),
        ({"weights": "def", "precision": "float32"}, "weights, precision of the network"),
        ({"sampling": "5 a second", "rest": "found"}, "resting faces, choice of frames"),
        ({}, "settings"),
    ],
)
def test_mixed_settings_are_a_warning_with_names(other: dict[str, Any], words: str):
    """The files that differ from most are named, with what differs."""
    usual = {"fingerprint": "one"}
    (note,) = mixed_settings(files(usual, {"fingerprint": "two", **other}, usual))
    assert note.startswith(f"Analysed with other settings ({words}) than the rest: 2.mp4.")
    assert mixed_settings(files(usual, usual)) == []


def test_tables_of_earlier_versions_have_methods_too(tmp_path: Path):
    """What they do not tell is left out, or is the settings'."""
    dataset = Dataset(tmp_path)
    dataset.write("files", "1", files({}).drop(columns=["detector", "weights", "rest", "compared", "sampling"]))
    old = dataset.read("files")
    assert methods(Settings(), old)["Faces"] == methods(Settings(), files({}))["Faces"]
    assert "Network" not in methods(Settings(), old)
