"""How far codes made by hand agree with the results: Cohen's kappa, face by face."""

import sys
from pathlib import Path

import pandas as pd
import pytest
from pympi.Elan import Eaf

from analysis.output.agreement import NOTHING, agreements, main, read_codes
from analysis.output.elan import write_eaf
from analysis.output.interval_files import frame_table
from analysis.output.intervals import find_intervals
from analysis.output.result_folder import results_folder
from errors import MissingLibraryError, StudyError
from tests.helpers.tables import course, together


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return results: face 1 is happy from 0 to 1 s, face 2 sad, and seen for as long."""
    frames = together(course("Happy", [0.9] * 10 + [0.3] * 10), course("Sad", [0.9] * 10, face=2))
    folder = tmp_path / "study" / "a"
    folder.mkdir(parents=True)
    frames.to_csv(folder / "frames.csv", index=False)
    intervals = find_intervals(frames)
    intervals.to_csv(folder / "intervals.csv", index=False)
    write_eaf(intervals, folder / "intervals.eaf", tmp_path / "a.mp4")
    return folder


def coded(folder: Path, *codes: tuple[int, int, str], tier: str = "Face 1 coding") -> Path:
    """Code by hand in a copy of the file for ELAN: milliseconds, and what is seen; return its path."""
    document = Eaf(str(folder / "intervals.eaf"))
    if tier not in document.get_tier_names():
        document.add_tier(tier, ling="coding")
    for code in codes:
        document.add_annotation(tier, *code)
    path = folder.parents[1] / "coded.eaf"
    document.to_file(str(path))
    return path


def test_kappa_is_what_it_is_by_hand(folder: Path, capsys: pytest.CaptureFixture[str]):
    """Of 20 steps, 8 are Happy for both and 8 nothing; 2 and 2 differ: (0.8 - 0.5) / (1 - 0.5)."""
    path = coded(folder, (200, 1200, "Happy"))
    (one,) = agreements(path, folder)
    assert one.face == 1
    assert one.kappa == pytest.approx(0.6)
    assert one.table.to_numpy().sum() == 20
    labels = ["Happy", NOTHING]
    assert one.table.loc[labels, labels].to_numpy().tolist() == [[8, 2], [2, 8]]
    assert main([str(path), str(folder)]) == 0
    assert "Face 1: Cohen's kappa 0.600; 20 steps of 0.1 s" in capsys.readouterr().out
    table = pd.read_csv(path.with_name("coded-agreement.csv")).set_index("coded")
    assert table.loc["Happy", ["face", "kappa", "step", "Happy", NOTHING]].tolist() == pytest.approx(
        [1, 0.6, 0.1, 8, 2]
    )


def test_three_values_in_longer_steps(folder: Path):
    """Of 10 steps of 0.2 s, 6 agree; 0.3 * 0.5 + 0.3 * 0.5 of them would by chance."""
    path = coded(folder, (0, 600, "Happy"), (600, 1400, "Neutral"))
    (one,) = agreements(path, folder, step=0.2)
    assert one.table.loc[["Happy", "Neutral"], ["Happy", NOTHING]].to_numpy().tolist() == [[3, 0], [2, 2]]
    assert one.kappa == pytest.approx((0.6 - 0.3) / (1 - 0.3))


def test_steps_without_the_face_do_not_count(folder: Path):
    """Face 2 is seen for a second; what is coded after it is compared with nothing."""
    (one,) = agreements(coded(folder, (0, 2000, "Sad"), tier="Face 2 coding"), folder)
    assert one.table.loc["Sad", "Sad"] == one.table.to_numpy().sum() == 10
    assert pd.isna(one.kappa), "both have one and the same value all the time"


def test_an_interval_that_began_last_is_the_one_that_counts(folder: Path):
    """Intervals of two expressions may overlap for a moment."""
    table = pd.read_csv(folder / "intervals.csv")
    happy = table[table["face"] == 1]
    pd.concat([happy.assign(expression="Fear", onset=0.5, offset=1.5), table]).to_csv(folder / "intervals.csv")
    (one,) = agreements(coded(folder, (0, 500, "Happy"), (500, 1500, "Fear")), folder)
    assert one.kappa == pytest.approx(1)


def test_the_face_of_a_tier_is_its_number(folder: Path):
    """Whatever the person is called; a file of ELAN 6 says version 3.0, and refers to its vocabulary."""
    path = coded(folder, (0, 500, "Happy"), tier="Face 3 (2) coding")
    text = path.read_text("utf-8").replace('"2.8"', '"3.0"')
    assert 'ANNOTATION_ID="a3"' in text
    path.write_text(text.replace('ANNOTATION_ID="a3"', 'ANNOTATION_ID="a3" CVE_REF="cveid_Happy"'), "utf-8")
    assert read_codes(path).to_numpy().tolist() == [[2, "Happy", 0.0, 0.5]]


@pytest.mark.parametrize(
    ("tier", "value", "reason"),
    [
        ("Face 1 coding", "Hapy", "Face 1 coding: “Hapy” at 0.1 s is not one of Angry, "),
        ("Face 7 coding", "Happy", "has no face 7. Name the results"),
        ("mine", "Happy", "whose tier is “mine”"),
    ],
)
def test_what_cannot_be_compared_is_refused(folder: Path, tier: str, value: str, reason: str):
    """With what to do about it."""
    with pytest.raises(StudyError, match=reason):
        agreements(coded(folder, (100, 300, value), tier=tier), folder)


def test_what_cannot_be_read_is_refused(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """No codes, two codings of a face, no file of ELAN, and a folder that is not the recording's."""
    with pytest.raises(StudyError, match="nothing is coded by hand"):
        agreements(coded(folder), folder)
    path = coded(folder, (0, 500, "Happy"))
    with pytest.raises(StudyError, match="Name the recording's own folder"):
        agreements(path, folder.parent)
    document = Eaf(str(path))
    document.add_tier("Bo (1) coding", ling="coding")
    document.add_annotation("Bo (1) coding", 0, 500, "Sad")
    document.to_file(str(path))
    with pytest.raises(StudyError, match=r"both code face 1\. Delete one of them"):
        agreements(path, folder)
    (tmp_path / "broken.eaf").write_text("no XML")
    assert main([str(tmp_path / "broken.eaf"), str(folder)]) == 1
    assert "broken.eaf cannot be read as a file of ELAN" in capsys.readouterr().err


def test_a_missing_library_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """It is a part of studies."""
    monkeypatch.setitem(sys.modules, "sklearn.metrics", None)
    with pytest.raises(MissingLibraryError, match="scikit-learn is not installed"):
        agreements(coded(folder, (0, 500, "Happy")), folder)


def code(path: Path, expression: str) -> None:
    """Code by hand in the file itself, as ELAN's Save does."""
    document = Eaf(str(path))
    document.add_annotation("Face 1 coding", 200, 1200, expression)
    document.to_file(str(path))


def test_codes_survive_what_replaces_their_file(folder: Path, tmp_path: Path):
    """Other limits write it anew, and another run the whole folder; each code is kept, once."""
    path = folder / "intervals.eaf"
    intervals = find_intervals(frame_table(folder))
    write_eaf(intervals, path, tmp_path / "a.mp4")
    assert [file.name for file in folder.glob("*.eaf")] == [path.name], "nobody has coded yet"
    for expression in ("Happy", "Neutral"):
        code(path, expression)
        write_eaf(intervals, path, tmp_path / "a.mp4")
        with pytest.raises(StudyError, match="nothing is coded"):
            read_codes(path)
    code(path, "Fear")
    (folder / "summary.json").touch()
    with results_folder(folder, overwrite=True) as anew:
        write_eaf(intervals, anew / path.name, tmp_path / "a.mp4")
    kept = [read_codes(file)["expression"].item() for file in folder.glob("*-coded*.eaf")]
    assert sorted(kept) == ["Fear", "Happy", "Neutral"]
    (folder / "summary.json").touch()
    path.write_text("edited, and broken", "utf-8")
    with results_folder(folder, overwrite=True):
        pass
    assert "edited, and broken" in [file.read_text("utf-8") for file in folder.glob("*-coded*.eaf")]
