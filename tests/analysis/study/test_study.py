"""What the files of a run show together: lists that fit them or not, tables that are made anew, and the report."""

import io
import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from pandas import DataFrame

from analysis.batch.dataset import Dataset, file_row
from analysis.output.intervals import find_intervals
from analysis.output.tables import columns
from analysis.recording.face_table import face_rows
from analysis.study.markers import marker_table
from analysis.study.person_tables import Exclusion
from analysis.study.report import report_page
from analysis.study.report_pictures import Pictures, Portrait
from analysis.study.study import conclude, read_lists
from config import IntervalSettings, Settings
from entities import EXPRESSIONS
from errors import StudyError
from tests.helpers.tables import course, nobody, together

SETTINGS = Settings()
GROUPS = {"patients": 0.3, "controls": 0.8}
PEOPLE = 4


def make_run(out: Path) -> Path:
    """Write what an analysis writes of eight recordings of 6 s, with smiles from 2 s on, and of one that failed."""
    dataset, rng = Dataset(out), np.random.default_rng(0)
    for group, smile in GROUPS.items():
        for number in range(PEOPLE):
            name, values = f"{group}/{number}.mp4", [0.1] * 20 + [smile + rng.normal(0, 0.05)] * 40
            add(dataset, name, f"{group}-{number}", course("Happy", values, file=name))
    dataset.write("files", "bad", file_row({"file": "<bad>.mp4", "state": "failed", "reason": "It is no video."}))
    return out


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Return the folder of a run before anything was made of its frames."""
    return make_run(tmp_path / "out")


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Save no figures: what is drawn, other tests look at."""
    save_no_figures(monkeypatch)


def save_no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let empty files stand for figures, most of the work of a study."""

    def save(_: Figure, file: io.StringIO | Path, **__: object) -> None:
        if isinstance(file, io.StringIO):
            file.write("<svg></svg>")
        else:
            Path(file).touch()

    monkeypatch.setattr(Figure, "savefig", save)
    monkeypatch.setattr(Figure, "draw_without_rendering", lambda _: None)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run with everything that markers and groups make of it."""
    folder = tmp_path_factory.mktemp("study")
    out = make_run(folder / "out")
    assert conclude(out, read_lists(*lists(folder), names(out)), SETTINGS, csv=True) == []
    return out


def add(dataset: Dataset, name: str, key: str, frames: DataFrame) -> None:
    """Write what an analysis writes of one video."""
    shares = {f"share_{expression}": float((frames["expression"] == expression).mean()) for expression in EXPRESSIONS}
    told = {"kind": "video", "seconds": len(frames) / 10, "fps": 10, "frames": len(frames), "faces": 1}
    row = {"file": name, "state": "done", "folder": key, "path": f"/videos/{name}", "frames_with_faces": len(frames)}
    dataset.write("frames", key, frames)
    dataset.write("files", key, file_row(row | told | shares))
    own = dataset.part("frames", key).parents[1] / key
    own.mkdir()
    (own / "summary.json").write_text("{}")


def names(out: Path) -> list[str]:
    """Return what the run calls the files that it has results of."""
    files = Dataset(out).read("files")
    return list(files.loc[files["state"] == "done", "file"])


def lists(folder: Path) -> tuple[Path, Path]:
    """Write a list of markers and one of groups; return their paths."""
    files = [(group, number) for group in GROUPS for number in range(PEOPLE)]
    markers = [
        f"{group}/{number},{time},{label}" for group, number in files for time, label in ((0, "alone"), (2, "visit"))
    ]
    groups = [f"{group}/{number}.mp4,{group},{group}{number}" for group, number in files]
    (folder / "markers.csv").write_text("\n".join(["file,time,label", *markers]))
    (folder / "groups.csv").write_text("\n".join(["file,group,person", *groups]))
    return folder / "markers.csv", folder / "groups.csv"


def test_everything_follows_from_the_frames(study: Path):
    """Markers are in the frames; intervals, markers and groups are tables, and pictures; nothing is half-written."""
    assert set(pd.read_parquet(study / "frames")["marker"]) == {"alone", "visit"}
    happy = pd.read_parquet(study / "intervals").query("expression == 'Happy'")
    assert happy["file"].tolist() == [f"controls/{number}.mp4" for number in range(PEOPLE)]
    assert happy["onset"].tolist() == pytest.approx([2.0] * PEOPLE)
    markers = pd.read_parquet(study / "markers.parquet")
    smiles = markers[(markers["expression"] == "Happy") & (markers["marker"] == "visit")]
    assert smiles["latency"].notna().tolist() == [True] * PEOPLE + [False] * PEOPLE
    comparison = pd.read_parquet(study / "groups" / "comparison.parquet")
    smile = comparison.query("marker == 'visit' and expression == 'Happy' and measure == 'mean'").iloc[0]
    assert smile["difference_low"] > 0.35
    made = {path.name for path in (study / "groups").iterdir()}
    assert {"curves.png", "curves-visit.svg", "effect-sizes.png", "people.csv", "groups.parquet"} <= made
    assert not list(study.rglob(".*"))
    assert "Happy" in (study / "controls-0" / "intervals.eaf").read_text("utf-8")
    assert json.loads((study / "controls-0" / "summary.json").read_text("utf-8"))["intervals"][0]["onset"] == 2.0


def test_tables_for_statistics_elsewhere(run: Path, tmp_path: Path, undrawn: None):
    """Long has a row a line of the list and marker, wide a row a person, by hand from the frames; columns stay."""
    markers, groups = lists(tmp_path)
    rows = [
        f"{group}/{number}.mp4;{group};{group}{number % 2};{number};2{number},5"
        for group in GROUPS
        for number in range(PEOPLE)
    ]
    groups.write_text("\n".join(["file;group;person;Trial;age", *rows]))
    conclude(run, read_lists(markers, groups, names(run)), SETTINGS)
    frames = pd.read_parquet(run / "frames")
    means = frames.groupby(["file", "marker"])["Happy"].mean()
    long = pd.read_parquet(run / "groups" / "long.parquet")
    assert len(long) == 2 * PEOPLE * 3
    assert set(long["trial"]) == set(range(PEOPLE))
    assert set(long["age"]) == {20.5, 21.5, 22.5, 23.5}
    of_markers = long[long["marker"] != ""].set_index(["file", "marker"])["mean_Happy"]
    assert of_markers.to_dict() == pytest.approx(means.to_dict())
    wide = pd.read_parquet(run / "groups" / "wide.parquet").set_index("person")
    assert list(wide.index) == ["patients0", "patients1", "controls0", "controls1"]
    files = ["controls/1.mp4", "controls/3.mp4"]
    assert wide.loc["controls1", "mean_Happy_visit"] == pytest.approx(means[:, "visit"][files].mean())
    assert wide.loc["controls1", "seconds_visit"] == pytest.approx(8)
    assert wide.loc["controls1", "mean_Happy"] == pytest.approx(frames[frames["file"].isin(files)]["Happy"].mean())
    assert not {"trial", "age"} & set(wide.columns), "they differ within people"


def test_the_long_table_keeps_the_columns_of_the_list_of_markers(run: Path, tmp_path: Path, undrawn: None):
    """A value a file and marker; empty over whole files, and where it differs within a marker, which is told."""
    _, groups = lists(tmp_path)
    order = {"controls/0": "first", "controls/1": "second"}
    rows = [
        f"{file},{time},{label},{order[file]},{trial},7"
        for file in order
        for time, label, trial in ((0, "alone", 1), (1, "visit", 2), (2, "visit", 3), (3, "", 4))
    ]
    (tmp_path / "m.csv").write_text("\n".join(["file,time,label,Order,trial,person", *rows]))
    notes = conclude(run, read_lists(tmp_path / "m.csv", groups, names(run)), SETTINGS)
    long = pd.read_parquet(run / "groups" / "long.parquet").set_index(["file", "marker"])
    found = {file: long.loc[(f"{file}.mp4", "visit"), "order"] for file in order}
    assert found == order
    assert long.loc[[("controls/0.mp4", "alone")], "trial"].tolist() == [1]
    assert long.loc[[("controls/0.mp4", "visit")], "trial"].isna().all()
    assert long.xs("", level="marker")[["order", "trial"]].isna().all(axis=None)
    assert long.loc[("controls/0.mp4", "alone"), "person"] == "controls0"
    assert [note for note in notes if "table long" in note] == [
        "The table long has columns of these names already, and lacks those of markers: person.",
        "Empty in the table long where a marker comes several times in a file: trial.",
    ]


def test_conditions_are_compared_within_people(study: Path):
    """Visit less alone, for each person, all together and by group, by hand from the table of people."""
    people = pd.read_parquet(study / "groups" / "people.parquet").query("expression == 'Happy'")
    by_person = people.pivot(index=["group", "person"], columns="marker", values="mean")
    pairs = by_person["visit"] - by_person["alone"]
    differences = pd.read_parquet(study / "groups" / "differences.parquet").query("expression == 'Happy'")
    found = differences[differences["measure"] == "mean"].set_index(["group", "person"])["difference"]
    assert found.to_dict() == pytest.approx(pairs.to_dict())
    within = pd.read_parquet(study / "groups" / "within.parquet").query("expression == 'Happy' and measure == 'mean'")
    of_group = within.set_index("group")
    assert of_group["people"].to_dict() == {"": 2 * PEOPLE, "patients": PEOPLE, "controls": PEOPLE}
    assert of_group.loc["controls", "d_z"] == pytest.approx(pairs["controls"].mean() / pairs["controls"].std())
    assert (of_group["difference_low"] <= of_group["difference"]).all()
    interaction = pd.read_parquet(study / "groups" / "interaction.parquet").query("expression == 'Happy'")
    row = interaction[interaction["measure"] == "mean"].iloc[0]
    assert row["marker"] == "visit - alone"
    assert row["difference"] == pytest.approx(pairs["controls"].mean() - pairs["patients"].mean())
    assert "Within people" in (study / "report.html").read_text("utf-8")


def test_who_is_seen_too_little_is_left_out_and_listed(run: Path, tmp_path: Path, undrawn: None):
    """By usable seconds or their share, under each marker and over the whole files; the table says why."""
    dataset = Dataset(run)
    for key, seen in (("controls-0", 3.0), ("controls-1", 0.0)):
        frames = pd.read_parquet(dataset.part("frames", key))
        dataset.write("frames", key, frames.assign(usable=(frames["time"] < seen).astype("boolean")))
    given = read_lists(*lists(tmp_path), names(run))
    notes = conclude(run, given, SETTINGS, exclusion=Exclusion(min_seconds=2.0, min_share=0.4))
    table = pd.read_parquet(run / "groups" / "excluded.parquet").set_index(["person", "marker"])
    assert table.loc["controls0", "reason"].to_dict() == {"visit": "less than 2 usable seconds"}
    assert table.loc[("controls0", "visit"), ["seconds", "whole", "share"]].tolist() == pytest.approx([1, 4, 0.25])
    assert set(table.loc["controls1", "reason"]) == {"no usable frame"}
    people = pd.read_parquet(run / "groups" / "people.parquet")
    assert set(people[people["person"] == "controls0"]["marker"]) == {"", "alone"}
    assert "controls1" not in set(people["person"])
    (note,) = [note for note in notes if "Left out of groups" in note]
    assert "controls0 (visit: less than 2 usable seconds)" in note
    assert any("lack one: controls0 (visit)" in note for note in notes)
    assert "from 2 usable seconds on that are 40%" in (run / "report.html").read_text("utf-8")


def test_the_codebook_has_every_column_of_every_table(study: Path):
    """And none that no table has; with resting faces, frames have some more."""
    book = json.loads((study / "codebook.json").read_text("utf-8"))["tables"]
    tables = {name: Dataset(study).read(name) for name in ("frames", "files", "intervals")}
    tables |= {f"groups/{path.stem}": pd.read_parquet(path) for path in (study / "groups").glob("*.parquet")}
    tables |= {"markers": pd.read_parquet(study / "markers.parquet"), "faces": face_rows("a.mp4", [])}
    tables["frames"] = DataFrame(columns=columns(uncorrected=True))
    tables["groups/wide"] = tables["groups/wide"].rename(
        columns=lambda name: re.sub("_(alone|visit)$", "_{marker}", name)
    )
    assert {name for name in book if not name.startswith("pairs/")} == tables.keys()
    for name, table in tables.items():
        assert set(book[name]) == set(table.columns), name
    assert "usable frames" in book["markers"]["mean"]["over"]
    assert book["faces"]["mean_Happy"]["over"] == "all frames with the face"
    assert '<th scope="row">d_z</th>' in (study / "codebook.html").read_text("utf-8")


def test_a_second_run_writes_nothing_that_is_the_same(run: Path, tmp_path: Path):
    """Frames and intervals stay as they are, until other markers or limits are given."""
    given = read_lists(lists(tmp_path)[0], None, names(run))
    conclude(run, given, SETTINGS)
    parts = [*run.glob("frames/*"), *run.glob("intervals/*"), *run.glob("*/intervals.vtt")]
    for part in parts:
        os.utime(part, (0, 0))
    conclude(run, given, SETTINGS)
    assert all(part.stat().st_mtime == 0 for part in parts)
    conclude(run, given, Settings(intervals=IntervalSettings(on=0.25, off=0.2)))
    happy = pd.read_parquet(run / "intervals").query("expression == 'Happy'")
    assert len(happy) == 2 * PEOPLE


def test_lists_that_fit_badly_are_told_of(run: Path, tmp_path: Path):
    """Strangers, late markers and files in no group are notes, in the answer and in the report."""
    (tmp_path / "m.csv").write_text("file,time,label\ncontrols/0,1,film\ncontrols/0,99,late\nnobody,1,film\n")
    (tmp_path / "g.csv").write_text("file,group\ncontrols/0.mp4,a\ncontrols/1.mp4,b\n")
    found = read_lists(tmp_path / "m.csv", tmp_path / "g.csv", names(run))
    notes = conclude(run, found, SETTINGS)
    assert "m.csv: not among the files that are analysed: nobody." in notes[0]
    assert "g.csv: in no group, and not compared:" in notes[1]
    assert "and 1 more" in notes[1]
    assert "late at 99 s in controls/0.mp4" in notes[2]
    assert "a, b: one person" in notes[3]
    report = (run / "report.html").read_text("utf-8")
    for note in notes:
        assert note in report
    with pytest.raises(StudyError, match="none of its files"):
        read_lists(tmp_path / "m.csv", None, ["other.mp4"])


def test_people_of_whom_nothing_is_seen_are_named(run: Path, tmp_path: Path):
    """Nobody drops out of a comparison unnoticed: neither without usable frames, nor by a number that no face has."""
    dataset = Dataset(run)
    frames = pd.read_parquet(dataset.part("frames", "controls-0"))
    dataset.write("frames", "controls-0", frames.assign(usable=pd.array([False] * len(frames), "boolean")))
    (tmp_path / "g.csv").write_text("file,group,person,face\ncontrols/0.mp4,a,P1,\ncontrols/1.mp4,a,P2,7\n")
    notes = conclude(run, read_lists(None, tmp_path / "g.csv", ["controls/0.mp4", "controls/1.mp4"]), SETTINGS)
    assert ">0%</td>" in (run / "report.html").read_text("utf-8")
    assert notes == ["No usable frame shows these people, who are in no comparison: P1, P2."]


def test_a_file_without_a_face_may_be_in_a_group(run: Path, tmp_path: Path):
    """Nobody is seen in it, which is told."""
    dataset = Dataset(run)
    frames = pd.read_parquet(dataset.part("frames", "controls-0"))
    dataset.write("frames", "controls-0", nobody(list(frames["time"]), file="controls/0.mp4"))
    (tmp_path / "g.csv").write_text("file,group,person\ncontrols/0.mp4,a,P1\ncontrols/1.mp4,a,P2\n")
    notes = conclude(run, read_lists(None, tmp_path / "g.csv", ["controls/0.mp4", "controls/1.mp4"]), SETTINGS)
    assert notes[0] == "No usable frame shows these people, who are in no comparison: P1."


def test_a_list_is_not_replaced_by_a_table(tmp_path: Path):
    """Somebody's list of markers may lie where the run writes its table of them."""
    (tmp_path / "markers.csv").write_text("file,time,label\na.mp4,1,film\n")
    with pytest.raises(StudyError, match="Rename yours"):
        read_lists(tmp_path / "markers.csv", None, ["a.mp4"], written=[tmp_path / "markers.csv"])


def test_without_lists_there_are_intervals_and_a_report(run: Path):
    """And markers that the frames have already count."""
    dataset = Dataset(run)
    frames = pd.read_parquet(dataset.part("frames", "controls-0"))
    dataset.write("frames", "controls-0", frames.assign(marker=np.where(frames["time"] < 3, "", "hello")))
    assert conclude(run, read_lists(None, None, names(run)), SETTINGS) == []
    assert set(pd.read_parquet(run / "markers.parquet")["marker"]) == {"hello"}
    assert not (run / "groups").exists()
    assert (run / "report.html").is_file()


def test_what_lists_no_longer_say_is_gone(run: Path, tmp_path: Path, undrawn: None):
    """Without a list of groups there are no tables and figures of groups; what somebody keeps there stays."""
    markers, groups = lists(tmp_path)
    conclude(run, read_lists(markers, groups, names(run)), SETTINGS, csv=True)
    (run / "groups" / "thesis.txt").touch()
    markers.write_text(markers.read_text().replace("visit", "guest"))
    conclude(run, read_lists(markers, groups, names(run)), SETTINGS)
    made = {path.name for path in (run / "groups").iterdir()}
    assert "curves-guest.png" in made
    assert not [name for name in made if "visit" in name or name.endswith(".csv")]
    (note,) = conclude(run, read_lists(None, None, names(run)), SETTINGS)
    assert "groups" in note
    assert [path.name for path in (run / "groups").iterdir()] == ["thesis.txt"]


def test_no_two_markers_share_a_figure(run: Path, tmp_path: Path, undrawn: None):
    """Signs and capitals that names of files do not tell apart are told apart by a number."""
    labels = ("CS+", "CS-", "film 1", "film/1", "Film", "film")
    rows = [f"controls/0,{time},{label}" for time, label in enumerate(labels)]
    (tmp_path / "m.csv").write_text("\n".join(["file,time,label", *rows]))
    (tmp_path / "g.csv").write_text("file,group\ncontrols/0.mp4,a\n")
    conclude(run, read_lists(tmp_path / "m.csv", tmp_path / "g.csv", names(run)), SETTINGS)
    figures = {path.name.lower() for path in (run / "groups").glob("curves*.png")}
    assert len(figures) == len(labels) + 1, "one each, and one over the whole files"


def test_who_is_measured_on_a_part_only_is_told(run: Path, tmp_path: Path):
    """A person whose face has one number in 2 of 6 s and another after that is counted in 67 % of the frames."""
    dataset = Dataset(run)
    frames = pd.read_parquet(dataset.part("frames", "controls-0"))
    numbers = pd.Series(np.where(frames["time"] < 2, 1, 5), dtype="Int32")
    dataset.write("frames", "controls-0", frames.assign(face=numbers))
    (tmp_path / "g.csv").write_text("file,group,face\ncontrols/0.mp4,a,\ncontrols/1.mp4,a,\n")
    two = ["controls/0.mp4", "controls/1.mp4"]
    notes = conclude(run, read_lists(None, tmp_path / "g.csv", two), SETTINGS)
    assert "is in less than 80% of the frames with faces: controls/0.mp4 (67%)." in notes[0]
    (tmp_path / "g.csv").write_text("file,group,face\ncontrols/0.mp4,a,all\ncontrols/1.mp4,a,\n")
    assert "80%" not in "".join(conclude(run, read_lists(None, tmp_path / "g.csv", two), SETTINGS))


def test_a_face_is_one_person_s(run: Path, tmp_path: Path):
    """The face that is seen longest and the same by its number are one, and would count twice."""
    (tmp_path / "g.csv").write_text("file,group,person,face\ncontrols/0.mp4,a,P1,1\ncontrols/0.mp4,a,P2,\n")
    with pytest.raises(StudyError, match=r"controls/0\.mp4: face 1 counts for P1 and P2\. Name the face of each"):
        conclude(run, read_lists(None, tmp_path / "g.csv", names(run)), SETTINGS)


def test_what_is_not_known_of_a_file_is_empty():
    """No figure of a file that failed is 0, and no share where there is no face."""
    failed = file_row({"file": "bad.mp4", "state": "failed"}).iloc[0]
    assert failed[["seconds", "fps", "frames", "faces", "share_Happy"]].isna().all()
    told = {"seconds": 2.0, "fps": 10, "frames": 20, "frames_with_faces": 0, "faces": 0, "share_Happy": 0.0}
    blind = file_row({"file": "dark.mp4", "state": "done"} | told).iloc[0]
    assert blind[["seconds", "faces"]].tolist() == [2, 0]
    assert np.isnan(blind["share_Happy"])


def test_the_report_counts_each_face_of_a_marker_once():
    """However long it is seen: .2 over 1 s and .8 over 3 s are .5; stretches of one face are weighted by time."""
    frames = together(
        course("Happy", [0.2] * 10, file="a.mp4"),
        course("Happy", [0.8] * 30, file="b.mp4"),
    )
    listed = DataFrame({"file": ["a.mp4", "b.mp4"], "time": 0.0, "label": "film"})
    files = pd.concat(
        file_row({"file": name, "state": "done", "seconds": 3.0, "frames": 30, "faces": 1, "frames_with_faces": 30})
        for name in ("a.mp4", "b.mp4")
    )
    page = report_page("x", files, find_intervals(frames), markers=marker_table(frames, listed))
    row = next(line for line in page.splitlines() if '<th scope="row">film</th>' in line)
    assert re.findall(r'data-expression="Happy"[^>]*>([^<]*)<', row) == ["0.50"]


def test_parts_with_other_columns_keep_theirs_in_csv(tmp_path: Path):
    """Where some files were compared with a rest and others not, no value slips into another column."""
    dataset = Dataset(tmp_path)
    dataset.write("frames", "a", DataFrame({"file": ["a"], "marker": ["film"]}))
    dataset.write("frames", "b", DataFrame({"file": ["b"], "compared": [True], "marker": ["song"]}))
    dataset.write_csv("frames")
    table = pd.read_csv(tmp_path / "frames.csv")
    assert table["marker"].tolist() == ["film", "song"]
    assert table["compared"].isna().tolist() == [True, False]


def test_a_run_without_results_has_a_report_all_the_same(tmp_path: Path):
    """It says what failed, and why."""
    Dataset(tmp_path).write(
        "files", "bad", file_row({"file": "bad.mp4", "state": "failed", "reason": "It is no video."})
    )
    conclude(tmp_path, read_lists(None, None, ["bad.mp4"]), SETTINGS)
    assert "It is no video." in (tmp_path / "report.html").read_text("utf-8")


class Addresses(HTMLParser):
    """Gathers what a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note addresses of everything but links."""
        self.found += [value or "" for name, value in attrs if name in {"src", "srcset", "poster", "data"}]
        self.found += [value or "" for name, value in attrs if name == "href" and tag == "link"]


def test_the_report_needs_nothing_else(study: Path):
    """It fetches nothing, and names of files are text in it."""
    text = (study / "report.html").read_text("utf-8")
    page = Addresses()
    page.feed(text)
    assert all(address.startswith("data:") for address in page.found)
    assert not re.search(r"url\((?!#)|@import", text)
    assert "<bad>" not in text
    assert "&lt;bad&gt;.mp4" in text
    assert text.count("<svg") >= 3 + PEOPLE


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (("1500", "4000"), "milliseconds"),
        (("1:00", "2:00"), r"took minutes and seconds for hours.*01:30:00"),
        (("0:01:00", "04:00:00"), None),
        (("7", "8"), None),
        (("2", "4000"), None),
    ],
)
def test_times_that_are_no_seconds_are_told_by_what_happened(
    run: Path, tmp_path: Path, times: tuple[str, str], words: str | None
):
    """If all markers but those at 0 lie beyond their files of 6 s, and the usual mistakes would explain it."""
    rows = [f"controls/{number},{time},film" for number, time in enumerate(("0", *times))]
    (tmp_path / "m.csv").write_text("\n".join(["file,time,label", *rows]))
    given = read_lists(tmp_path / "m.csv", None, names(run))
    if words is None:
        conclude(run, given, SETTINGS)
        return
    with pytest.raises(StudyError, match=f"All markers come after the end.*film at .* which ends at 6 s.*{words}"):
        conclude(run, given, SETTINGS)


def test_markers_of_a_part_are_not_late(run: Path, tmp_path: Path):
    """Where a file of 6 s was looked at from 100 s on, a marker at 103 s lies in it."""
    dataset = Dataset(run)
    row = pd.read_parquet(dataset.part("files", "controls-0"))
    dataset.write("files", "controls-0", row.assign(begin=100.0))
    (tmp_path / "m.csv").write_text("file,time,label\ncontrols/0,103,film\n")
    assert conclude(run, read_lists(tmp_path / "m.csv", None, names(run)), SETTINGS) == []


def test_a_report_of_thousands_of_files_stays_small():
    """Below 30 MB for 5,000 files with ten intervals and six faces each, and it says what it does not show."""
    row = {"state": "done", "kind": "video", "seconds": 60.0, "frames": 1500, "frames_with_faces": 1500, "faces": 6}
    one = file_row(row | {f"share_{name}": 1 / 7 for name in EXPRESSIONS} | {"folder": "clip"})
    files = one.loc[one.index.repeat(5000)].reset_index(drop=True)
    files["file"] = [f"{number}.mp4" for number in range(5000)]
    interval = find_intervals(course("Happy", [0.9] * 10))
    intervals = interval.loc[interval.index.repeat(10 * 5000)].reset_index(drop=True)
    intervals["file"] = np.repeat(files["file"].to_numpy(), 10)
    portraits = Pictures((Portrait("Face 1", "data:image/jpeg;base64," + "A" * 3000),) * 6)
    page = report_page("x", files, intervals, pictures=dict.fromkeys(files["file"], portraits))
    assert len(page.encode()) < 30e6
    assert "Of each file, the 8 longest intervals are drawn, and no picture of a face." in page
    few = report_page("x", files.iloc[:9], intervals.iloc[:90], pictures={"0.mp4": portraits})
    assert few.count("data:image/jpeg") == 6
    assert "longest intervals are drawn" not in few
