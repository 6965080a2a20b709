"""Markers: lists that researchers write, the marker in force, and what faces show under each."""

from pathlib import Path

import numpy as np
import pytest
from pandas import DataFrame

from analysis.study.file_names import in_other_folders, run_names
from analysis.study.groups import people, persons
from analysis.study.markers import TABLE, apply_markers, marker_table, markers_in, outside, read_markers
from analysis.study.time_courses import courses
from errors import StudyError
from tests.helpers.tables import course, nobody, together


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    """Return a file with this text."""
    path = folder / "markers.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    "text",
    [
        "file,time,label\na.mp4,1.5,film\na.mp4,62,pause\n",
        "label;file;time\nfilm;a.mp4;1,5\npause;a.mp4;1:02\n;;\n",
        "\ufeffFile\tTime \tLabel\tnote\na.mp4\t 1.5\tfilm\tx\na.mp4\t0:01:02\tpause\t\n",
    ],
    ids=["commas", "semicolons", "tabs"],
)
def test_lists_are_read_as_spreadsheets_write_them(tmp_path: Path, text: str):
    """Any of the usual separators, decimal commas, times by the clock, and other columns beside."""
    table = read_markers(written(tmp_path, text))
    assert table.to_dict("list") == {"file": ["a.mp4"] * 2, "time": [1.5, 62.0], "label": ["film", "pause"]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("file,time\na.mp4,1\n", "no column label.*it names file, time"),
        ("file,time,label\n", "no rows"),
        ("", "not a CSV file"),
        ("file,time,label\na.mp4,1,x\nb.mp4,soon,x\n", "line 3: “soon” is not a valid time.*1:30"),
        ("file,time,label\na.mp4,-1,x\n", "line 2.*not a valid time"),
        ("file,time,label\na.mp4,1,x\na.mp4,1.0,y\n", "a.mp4 has two markers at 1 s"),
    ],
)
def test_a_list_that_cannot_be_used_says_why(tmp_path: Path, text: str, words: str):
    """Messages name the file, the line and what to do."""
    with pytest.raises(StudyError, match=words) as caught:
        read_markers(written(tmp_path, text))
    assert str(caught.value).startswith(str(tmp_path / "markers.csv"))


def test_a_list_that_is_missing_or_not_text_says_so(tmp_path: Path):
    """So does one in an encoding that cannot be told, and a spreadsheet's own file."""
    with pytest.raises(StudyError, match=r"nothing\.csv: cannot be read"):
        read_markers(tmp_path / "nothing.csv")
    with pytest.raises(StudyError, match="CSV UTF-8"):
        read_markers(written(tmp_path, "file,time,label\na.mp4,1,Gr\u008d\n", "latin-1"))
    (tmp_path / "markers.xlsx").write_bytes(b"PK\x03\x04rest")
    with pytest.raises(StudyError, match="CSV UTF-8"):
        read_markers(tmp_path / "markers.xlsx")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_lists_are_read_in_the_encodings_of_spreadsheets(tmp_path: Path, encoding: str):
    """With a mark or without; letters are those that were typed."""
    table = read_markers(written(tmp_path, "file;time;label\r\nä.mp4;1,5;Grüße\r\n", encoding))
    assert table.to_dict("list") == {"file": ["ä.mp4"], "time": [1.5], "label": ["Grüße"]}


def test_what_stands_for_nothing_is_empty(tmp_path: Path):
    """R writes NA, pandas nan, Excel #N/A: such a label ends what was before."""
    rows = "".join(f"a.mp4,{time},{label}\n" for time, label in enumerate(("film", "NA", "NaN", "#N/A", "Nadja", "")))
    table = read_markers(written(tmp_path, f"file,time,label\n{rows}"))
    assert table["label"].tolist() == ["film", "", "", "", "Nadja", ""]


def test_commas_in_labels(tmp_path: Path):
    """Between quotation marks they are a part of it; without, the line is named, and no word of a label is lost."""
    table = read_markers(written(tmp_path, 'file,time,label\na.mp4,5,"Film, part 2",\n'))
    assert table["label"].tolist() == ["Film, part 2"]
    with pytest.raises(StudyError, match=r"line 3 has 4 columns, and the first line 3\. Put a text.*quotation marks"):
        read_markers(written(tmp_path, "file,time,label\na.mp4,1,x\na.mp4,5,Film, part 2\n"))


@pytest.mark.parametrize("first", ["", "sep=,\n", "SEP=,\r\n"])
def test_lines_have_the_numbers_that_editors_show(tmp_path: Path, first: str):
    """Empty lines, a line for Excel and labels of several lines count as in the file."""
    text = f'{first}file,time,label\n\na.mp4,1,"two\nlines"\n,,\nb.mp4,soon,x\n'
    line = 1 + next(number for number, text in enumerate(text.splitlines()) if "soon" in text)
    with pytest.raises(StudyError, match=f"line {line}: “soon”"):
        read_markers(written(tmp_path, text))


@pytest.mark.parametrize(("first", "sign"), [("sep=;\n", ";"), ("sep=\t\n", "\t"), ("", ";")])
def test_a_line_for_excel_names_the_separator(tmp_path: Path, first: str, sign: str):
    """It is no row, and commas are then a part of what is written."""
    text = f"{first}file;time;label\na.mp4;1,5;Film, part 2\n".replace(";", sign)
    table = read_markers(written(tmp_path, text))
    assert table.to_dict("list") == {"file": ["a.mp4"], "time": [1.5], "label": ["Film, part 2"]}


def test_files_are_known_by_the_end_of_their_paths():
    """A whole name is best, then the end of the path, then that without suffix."""
    files = ["one/a.mp4", "two/a.mp4", "b.mp4", "b.mov"]
    found = run_names(Path("m.csv"), ["one/a", r"two\a.mp4", "b.mp4", "nobody"], files)
    assert found == {"one/a": "one/a.mp4", r"two\a.mp4": "two/a.mp4", "b.mp4": "b.mp4"}
    for name in ("a.mp4", "b"):
        with pytest.raises(StudyError, match=f"{name} means several files.*Write more"):
            run_names(Path("m.csv"), [name], files)
    with pytest.raises(StudyError, match=r"b\.mov and b are one file"):
        run_names(Path("m.csv"), ["b.mov", "b"], ["b.mov"])
    with pytest.raises(StudyError, match="none of its files is among those"):
        run_names(Path("m.csv"), ["c.mp4"], files)


def test_events_of_bids_are_markers(tmp_path: Path):
    """A duration ends with an empty label, n/a lasts to the next; the recording is the one of that name."""
    for subject, rows in (("01", "1.5\t2\tfilm\n5\tn/a\tsong\n8\t1\tn/a\n"), ("02", "0\t1.5\tfilm\n1.5\t1\tsong\n")):
        folder = tmp_path / f"sub-{subject}" / "beh"
        folder.mkdir(parents=True)
        (folder / f"sub-{subject}_task-x_events.tsv").write_text(f"onset\tduration\ttrial_type\n{rows}")
    table = read_markers(tmp_path)
    assert table.groupby("file")["time"].agg(list).to_dict() == {
        "sub-01_task-x": [1.5, 3.5, 5, 8, 9],
        "sub-02_task-x": [0, 1.5, 2.5],
    }
    assert table["label"].tolist() == ["film", "", "song", "", "", "film", "song", ""]
    files = ["sub-01_task-x_video.mp4", "sub-02_task-x_beh.mkv", "sub-02_task-xy_video.mp4", "anna_2.mp4"]
    found = run_names(tmp_path, table["file"], files)
    assert found == {"sub-01_task-x": files[0], "sub-02_task-x": files[1]}
    with pytest.raises(StudyError, match="none of its files"):
        run_names(tmp_path, ["anna"], files)


def test_other_columns_of_events_are_kept(tmp_path: Path):
    """Numbers are numbers, n/a is nothing, and what ends an event has none of them."""
    path = tmp_path / "sub-01_events.tsv"
    path.write_text(
        "onset\tduration\ttrial_type\tblock\tstim_file\tlabel\n1\t2\tfilm\t3\tsea.mp4\tx\n5\t0\tsong\tn/a\tn/a\ty\n"
    )
    table = read_markers(path, others=True)
    assert table["label"].tolist() == ["film", "", "song"]
    assert table["block"].fillna(-1).tolist() == [3, -1, -1]
    assert table["stim_file"].tolist() == ["sea.mp4", "", ""]
    assert list(read_markers(path)) == ["file", "time", "label"]


def test_events_that_overlap_are_refused(tmp_path: Path):
    """One marker is in force at a time; a folder without events says so."""
    path = tmp_path / "sub-01_events.tsv"
    path.write_text("onset\tduration\ttrial_type\n1\t3\tfilm\n2\t1\tsong\n")
    with pytest.raises(StudyError, match=r"line 3: the event before it lasts to 4 s\. Events may not overlap"):
        read_markers(path)
    path.unlink()
    with pytest.raises(StudyError, match=r"no file whose name ends in _events\.tsv"):
        read_markers(tmp_path)


def test_names_are_compared_as_people_read_them():
    """Letters in either of Unicode's forms, other capitals, and paths of another computer."""
    files, paths = (
        ["anna.mp4", "Zoë.mp4", "ben.mp4"],
        {"ben.mp4": "/data/monday/ben.mp4", "anna.mp4": "/x/clips/anna.mp4"},
    )
    names = [r"C:\study\clips\anna.mp4", "Zoe\u0308.MP4", "monday/ben.mp4", "tuesday/ben.mp4"]
    found = run_names(Path("m.csv"), names, files, paths)
    assert found == {names[0]: "anna.mp4", names[1]: "Zoë.mp4", names[2]: "ben.mp4"}
    assert run_names(Path("m.csv"), ["ANNA", "tuesday/ben"], files, paths) == {
        "ANNA": "anna.mp4",
        "tuesday/ben": "ben.mp4",
    }
    assert in_other_folders({"tuesday/ben": "ben.mp4", "clips/anna.mp4": "anna.mp4"}, paths) == ["tuesday/ben"]
    with pytest.raises(StudyError, match=r"A\.MP4 means several files"):
        run_names(Path("m.csv"), ["A.MP4"], ["a.mp4", "A.mp4"])
    assert run_names(Path("m.csv"), ["a.mp4", "A.mp4"], ["a.mp4", "A.mp4"]) == {"a.mp4": "a.mp4", "A.mp4": "A.mp4"}
    with pytest.raises(StudyError, match="are one file"):
        run_names(Path("m.csv"), ["one/ben.mp4", "two/ben.mp4"], files, paths)


def test_the_longest_common_end_decides():
    """Whatever comes before it, and however many files have that name."""
    paths = {f"{day}/ben.mp4": f"/study/{day}/ben.mp4" for day in ("monday", "tuesday")}
    found = run_names(Path("m.csv"), [r"D:\other\monday\ben.mp4", "x/tuesday/ben"], list(paths), paths)
    assert list(found.values()) == ["monday/ben.mp4", "tuesday/ben.mp4"]


def markers(*rows: tuple[str, float, str]) -> DataFrame:
    """Return a list of markers."""
    return DataFrame(rows, columns=["file", "time", "label"])


def test_frames_carry_the_marker_in_force():
    """From its time on, until the next one; nothing before the first, or in other files."""
    frames = together(course("Happy", [0.5] * 6), course("Happy", [0.5] * 2, file="b.mp4"))
    marked = apply_markers(frames, markers(("a.mp4", 0.15, "film"), ("a.mp4", 0.3, ""), ("a.mp4", 0.5, "end")))
    assert marked["marker"].tolist() == ["", "", "film", "", "", "end", "", ""]
    assert markers_in(marked)["label"].tolist() == ["film", "", "end"]
    assert markers_in(marked)["time"].tolist() == pytest.approx([0.2, 0.3, 0.5])


def test_the_table_has_what_each_face_shows_under_each_marker():
    """Mean over time, share of it, peak, and seconds until the expression is reached."""
    frames = together(
        course("Happy", [0.3, 0.1, 0.3, 0.8, 0.6, 0.2], uncertain=[2]),
        course("Sad", [0.9] * 6, face=2, name="Bo"),
        nobody([0.6]),
    )
    table = marker_table(frames, markers(("a.mp4", 0.1, "film"), ("a.mp4", 0.5, "pause"), ("z.mp4", 0, "x")))
    assert {name: str(kind) for name, kind in table.dtypes.items()} == TABLE
    assert len(table) == 2 * 2 * 7
    row = table[(table["face"] == 1) & (table["marker"] == "film") & (table["expression"] == "Happy")].iloc[0]
    assert row[["start", "end", "seconds"]].tolist() == pytest.approx([0.1, 0.5, 0.4])
    assert row[["mean", "share", "peak", "latency"]].tolist() == pytest.approx([0.45, 0.5, 0.8, 0.2])
    last = table[(table["face"] == 2) & (table["marker"] == "pause") & (table["expression"] == "Sad")].iloc[0]
    assert last[["name", "end"]].tolist() == ["Bo", pytest.approx(0.7)]
    never = table[(table["face"] == 2) & (table["expression"] == "Fear")]
    assert never["latency"].isna().all()


def test_a_marker_cuts_the_frame_that_it_falls_into():
    """At 1 fps, .6 s of the third frame are the film's: (.6 * .1 + .9 + .5 * .1) / 2.1, as people's means have it."""
    frames = course("Happy", [0.5, 0.5, 0.1, 0.9, 0.1, 0.1], fps=1)
    listed = markers(("a.mp4", 2.4, "film"), ("a.mp4", 4.5, "pause"))
    film = marker_table(frames, listed).query("marker == 'film' and expression == 'Happy'").iloc[0]
    assert film[["seconds", "mean", "peak"]].tolist() == pytest.approx([2.1, 1.01 / 2.1, 0.9])
    assert film["share"] == pytest.approx(1 / 2.1)
    groups = DataFrame({"file": ["a.mp4"], "group": "x", "person": "P1", "face": 1}).astype({"face": "Int32"})
    whole = persons(people(courses(frames, 0.5, listed), groups))
    person = whole.query("marker == 'film' and expression == 'Happy'").iloc[0]
    assert person[["seconds", "mean", "share"]].tolist() == pytest.approx(film[["seconds", "mean", "share"]].tolist())


@pytest.mark.parametrize(
    ("values", "start", "latency"),
    [
        ([0.1, 0.1, 0.9, 0.9], 0.2, 0),  # it comes with the marker
        ([0.1, 0.9, 0.9, 0.9], 0.2, np.nan),
        ([0.1, 0.9, 0.1, 0.9], 0.2, np.nan),  # though it goes and comes again
        ([0.1, 0.9, 0.1, 0.9], 0.15, np.nan),  # which is within a frame
        ([0.9, 0.1, 0.1, 0.9], 0.15, 0.15),
        ([0.9, 0.9, 0.9, 0.9], 0.0, 0),  # from the first frame on: nobody knows of a time before
    ],
)
def test_what_was_there_before_the_marker_has_no_latency(values: list[float], start: float, latency: float):
    """Nobody answers a film with a smile that was there when it began."""
    table = marker_table(course("Happy", values), markers(("a.mp4", start, "film")))
    found = table.loc[table["expression"] == "Happy", "latency"].tolist()
    assert found == pytest.approx([latency], nan_ok=True)


def test_unusable_frames_count_for_nothing():
    """A face that is never seen well enough has a row, and no figures in it."""
    frames = course("Happy", [0.9, 0.9, 0.1, 0.1], unusable=[0, 1])
    table = marker_table(frames, markers(("a.mp4", 0, "film")))
    row = table[table["expression"] == "Happy"].iloc[0]
    assert row[["seconds", "mean", "share", "peak"]].tolist() == pytest.approx([0.2, 0.1, 0, 0.1])
    blind = marker_table(course("Happy", [0.9] * 2, unusable=[0, 1]), markers(("a.mp4", 0, "film")))
    assert blind["seconds"].eq(0).all()
    assert blind[["mean", "share", "peak", "latency"]].isna().all(axis=None)


def test_markers_may_come_with_the_frames():
    """Those of a live recording stand in a column, and give the same table."""
    frames = apply_markers(course("Happy", [0.9] * 6), listed := markers(("a.mp4", 0.2, "film"), ("a.mp4", 0.4, "")))
    assert marker_table(frames).equals(marker_table(frames, listed))
    assert marker_table(course("Happy", [0.9])).empty


def test_times_after_the_end_are_found():
    """So that somebody learns that a marker was for another recording."""
    ends = DataFrame({"file": ["a.mp4"], "end": [10.0]}).set_index("file")["end"]
    found = outside(markers(("a.mp4", 9, "x"), ("a.mp4", 10, "y"), ("b.mp4", 99, "z")), ends)
    assert found["label"].tolist() == ["y"]
    assert np.isfinite(found["time"]).all()
