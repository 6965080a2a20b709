"""Groups: people's courses, their mean with its band, and the comparison with its intervals."""

from pathlib import Path

import numpy as np
import pytest
from pandas import DataFrame, concat

from analysis.study.comparison import FEWEST, comparison, hedges_g, size_notes
from analysis.study.groups import (
    check_one_at_a_time,
    counted_faces,
    coverage,
    curves,
    group_table,
    people,
    persons,
    read_groups,
)
from analysis.study.time_courses import courses, step_for
from errors import StudyError
from tests.helpers.tables import course, nobody, together


def written(folder: Path, text: str) -> Path:
    """Return a file with this text."""
    path = folder / "groups.csv"
    path.write_text(text, encoding="utf-8")
    return path


def study(values: dict[str, list[float]], frames: int = 10) -> DataFrame:
    """Return the courses of people of two groups: a file a person, who is as happy as the number says."""
    return courses(
        concat(
            course("Happy", [value] * frames, file=f"{group}{number}.mp4")
            for group, row in values.items()
            for number, value in enumerate(row)
        ),
        step=0.5,
    )


def listed(values: dict[str, list[float]]) -> DataFrame:
    """Return the list of groups that belongs to `study`."""
    rows = [
        (f"{group}{number}.mp4", group, f"{group}{number}")
        for group, row in values.items()
        for number in range(len(row))
    ]
    return DataFrame(rows, columns=["file", "group", "person"]).assign(face=None).astype({"face": "Int32"})


def test_a_list_of_groups_needs_file_and_group_only(tmp_path: Path):
    """Every file is then a person; a face may be named."""
    table = read_groups(written(tmp_path, "file,group\na.mp4,patients\nb.mp4,controls\n"))
    assert table["person"].tolist() == ["a.mp4", "b.mp4"]
    assert table["face"].isna().all()
    table = read_groups(written(tmp_path, "file;group;person;face\na.mp4;x;P1;2\na.mp4;x;P2;\n"))
    assert table["face"].tolist()[0] == 2


def test_faces_are_numbers_however_they_are_written(tmp_path: Path):
    """Where some are empty, R and pandas write the others as 1.0, and spreadsheets as 1,0."""
    table = read_groups(written(tmp_path, "file;group;face\na.mp4;x;1.0\nb.mp4;x;2,0\nc.mp4;x;10\nd.mp4;x;NA\n"))
    assert table["face"].tolist()[:3] == [1, 2, 10]
    assert table["face"].isna().tolist() == [False, False, False, True]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("file,person\na.mp4,P1\n", "no column group"),
        ("file,group,person\na.mp4,,P1\n", "line 2 has no group"),
        ("file,group,person\na.mp4,x,P1\nb.mp4,y,P1\n", "P1 is in the groups x and y.*markers"),
        ("file,group\na.mp4,x\na.mp4,x\n", "line 3 has the file and face"),
        ("file,group,face\na.mp4,x,left\n", "a face is a number"),
    ],
)
def test_a_list_that_cannot_be_used_says_why(tmp_path: Path, text: str, words: str):
    """Messages say what to do."""
    with pytest.raises(StudyError, match=words):
        read_groups(written(tmp_path, text))


@pytest.mark.parametrize(("duration", "step"), [(0, 0.2), (30, 0.2), (60, 0.5), (600, 5), (3600, 20), (4000, 20)])
def test_steps_are_round_numbers(duration: float, step: float):
    """And no more than two hundred."""
    assert step_for(duration) == pytest.approx(step)


def test_a_course_averages_what_is_seen_within_each_step():
    """A frame that lies in two steps counts in both; what is not usable counts in none."""
    frames = course("Happy", [0.2, 0.4, 0.8, 0.8, 0.9], fps=5, unusable=[4])
    table = courses(frames, step=0.5)
    assert table["time"].tolist() == pytest.approx([0, 0.5])
    assert table["seconds"].tolist() == pytest.approx([0.5, 0.3])
    assert table["Happy"].tolist() == pytest.approx([(0.2 * 0.2 + 0.2 * 0.4 + 0.1 * 0.8) / 0.5, 0.8])
    assert table["shown_Happy"].sum() == pytest.approx(0.8)
    assert courses(nobody([0.0]), 0.5).empty
    picture = courses(course("Happy", [0.9]).assign(duration=0.0), 0.5)
    assert picture[["time", "seconds", "Happy"]].to_numpy().ravel().tolist() == pytest.approx([0, 0.5, 0.9])


def test_a_course_begins_anew_at_each_marker():
    """So that people who saw the same at other times are put together."""
    frames = course("Happy", [0.1] * 7 + [0.9] * 8)
    markers = DataFrame({"file": ["a.mp4"], "time": [0.7], "label": ["film"]})
    table = courses(frames, 0.5, markers)
    film = table[table["marker"] == "film"]
    assert film["time"].tolist() == pytest.approx([0, 0.5])
    assert film["Happy"].tolist() == pytest.approx([0.9, 0.9])
    assert len(table[table["marker"] == ""]) == 3


def test_people_who_saw_it_at_other_times_are_put_together():
    """Steps meet whatever the marker's time: one row of three people with the mean of theirs, .5, at each step."""
    starts, values = (3.6, 8.0, 3.0), (0.9, 0.5, 0.1)
    files = ["a.mp4", "b.mp4", "c.mp4"]
    frames = concat(course("Happy", [value] * 120, file=file) for file, value in zip(files, values, strict=True))
    markers = DataFrame({"file": files, "time": starts, "label": "film"})
    found = courses(frames, 0.5, markers)
    groups = DataFrame({"file": files, "group": "x", "person": files}).assign(face=None).astype({"face": "Int32"})
    film = curves(people(found, groups)).query("marker == 'film' and expression == 'Happy'")
    assert film["time"].tolist() == [0.5 * step for step in range(18)]
    assert film["people"].tolist() == [3] * 8 + [2] * 9 + [1]
    assert film["mean"].tolist() == pytest.approx([0.5] * 17 + [0.1])
    one = curves(people(found, groups.assign(person="P1"))).query("marker == 'film' and expression == 'Happy'")
    assert one["time"].tolist() == film["time"].tolist()
    by_hand = [0.5] * 16 + [(0.4 * 0.9 + 0.5 * 0.1) / 0.9, 0.1]
    assert one["mean"].tolist() == pytest.approx(by_hand), "three files of one person, weighted by time"


def test_the_face_that_is_seen_longest_is_the_person():
    """Unless the list names another; files of one person are averaged by their length."""
    frames = together(
        course("Happy", [0.9] * 10, face=1),
        course("Sad", [0.9] * 4, face=2),
        course("Happy", [0.3] * 20, face=7, file="b.mp4"),
    )
    table = DataFrame({"file": ["a.mp4", "b.mp4"], "group": "x", "person": "P1", "face": [None, None]})
    whole = persons(people(courses(frames, 0.5), table.astype({"face": "Int32"})))
    assert whole.loc[whole["expression"] == "Happy", "mean"].tolist() == pytest.approx([(9 + 6) / 30])
    assert whole["seconds"].tolist() == pytest.approx([3.0] * 7)
    named = people(courses(frames, 0.5), table.assign(face=[2, 7]).astype({"face": "Int32"}))
    whole = persons(named)
    assert whole.loc[whole["expression"] == "Sad", "share"].tolist() == pytest.approx([0.4 / 2.4])


def test_all_numbers_of_a_file_may_be_one_person_s(tmp_path: Path):
    """Who comes back under another number is measured on both: (8 * .9 + 12 * .4) / 20."""
    frames = together(course("Happy", [0.9] * 8, face=1), course("Happy", [0.4] * 12, face=2, start=1.0))
    groups = read_groups(written(tmp_path, "file,group,face\na.mp4,x,All\n"))
    check_one_at_a_time(frames, groups)
    counted = counted_faces(courses(frames, 0.5), groups)
    assert (counted["face"].tolist(), coverage(frames, counted["face"])) == ([1, 2], 1)
    whole = persons(people(courses(frames, 0.5), groups))
    assert whole.loc[whole["expression"] == "Happy", ["seconds", "mean"]].to_numpy().tolist() == [
        [pytest.approx(2), pytest.approx(0.6)]
    ]
    longest = counted_faces(courses(frames, 0.5), groups.assign(face=None).astype({"face": "Int32"}))
    assert coverage(frames, longest["face"]) == pytest.approx(12 / 20)


def test_faces_that_are_there_together_are_not_one_person_s(tmp_path: Path):
    """All is refused where several faces are seen at a time, but for a moment in which numbers change."""
    frames = together(course("Happy", [0.9] * 20, face=1), course("Sad", [0.9] * 10, face=2))
    groups = read_groups(written(tmp_path, "file,group,face\na.mp4,x,all\n"))
    with pytest.raises(StudyError, match=r"a\.mp4: 50% of the frames with faces show several"):
        check_one_at_a_time(frames, groups)
    check_one_at_a_time(together(course("Happy", [0.9] * 20), course("Sad", [0.9], face=2)), groups)
    with pytest.raises(StudyError, match=r"face 1 counts for"):
        counted_faces(courses(frames, 0.5), concat([groups, groups.assign(face=1, person="P2")]))


def test_curves_have_a_band_across_people():
    """Student's t for three people: 4.303 standard errors; one person has none."""
    values = {"a": [0.2, 0.4, 0.6], "b": [0.9]}
    table = curves(people(study(values), listed(values)))
    happy = table[(table["expression"] == "Happy") & (table["time"] == 0)].set_index("group")
    assert happy.loc["a", ["mean", "people"]].tolist() == pytest.approx([0.4, 3])
    assert happy.loc["a", "low"] == pytest.approx(max(0, 0.4 - 4.303 * 0.2 / np.sqrt(3)), abs=1e-3)
    assert happy.loc["a", "high"] == pytest.approx(0.4 + 4.303 * 0.2 / np.sqrt(3), abs=1e-3)
    assert happy.loc["a", "above"] == pytest.approx(1 / 3)
    assert happy.loc["b", ["low", "high"]].isna().all()
    assert set(table.loc[table["group"] == "a", "people"]) == {3}


def test_a_group_has_the_mean_of_its_people_and_the_share_above_the_threshold():
    """People count alike, however long their files are."""
    values = {"a": [0.2, 0.6], "b": [0.9, 0.9]}
    table = group_table(persons(people(study(values), listed(values))))
    happy = table[table["expression"] == "Happy"].set_index("group")
    assert happy.loc["a", ["people", "mean", "share", "above"]].tolist() == pytest.approx([2, 0.4, 1, 0.5])
    assert happy.loc["b", "above"] == 1


def test_the_comparison_tells_an_effect_from_none():
    """Groups that differ have an interval without 0, others have one with it; it is the same each time."""
    values = {"a": [0.5, 0.6, 0.7, 0.8, 0.6], "b": [0.2, 0.3, 0.1, 0.25, 0.2]}
    table = comparison(persons(people(study(values), listed(values))))
    happy = table[(table["expression"] == "Happy") & (table["measure"] == "mean")].iloc[0]
    assert (happy["group_a"], happy["group_b"], happy["people_a"]) == ("a", "b", 5)
    assert happy["difference"] == pytest.approx(0.43)
    assert 0.3 < happy["difference_low"] < 0.43 < happy["difference_high"] < 0.56
    assert 1.5 < happy["effect_size_low"] < happy["effect_size"] < happy["effect_size_high"]
    alike = {"a": [0.5, 0.6, 0.7, 0.8, 0.6], "b": [0.55, 0.6, 0.7, 0.75, 0.62]}
    none = comparison(persons(people(study(alike), listed(alike))))
    happy = none[(none["expression"] == "Happy") & (none["measure"] == "mean")].iloc[0]
    assert happy["effect_size_low"] < 0 < happy["effect_size_high"]
    assert table.equals(comparison(persons(people(study(values), listed(values)))))


def test_hedges_g_is_as_published():
    """Two groups of three with unit spread, two apart: d is 2, and the correction 1 - 3 / 15."""
    assert hedges_g(np.array([3.0, 4, 5]), np.array([1.0, 2, 3])) == pytest.approx(2 * (1 - 3 / 15))


def test_what_few_people_cannot_tell_is_empty_and_said():
    """One person a group has a difference and no more; people who are all alike have no effect size."""
    values = {"a": [0.8], "b": [0.2, 0.3]}
    table = persons(people(study(values), listed(values)))
    happy = comparison(table).query("expression == 'Happy' and measure == 'mean'").iloc[0]
    assert happy["difference"] == pytest.approx(0.55)
    assert happy[["difference_low", "effect_size", "effect_size_low"]].isna().all()
    first, second = size_notes(table)
    assert first.startswith("a: one person")
    assert second.startswith(f"b: fewer than {FEWEST} people")
    same = {"a": [0.8] * 5, "b": [0.2] * 5}
    happy = comparison(persons(people(study(same), listed(same)))).query("expression == 'Happy'").iloc[0]
    assert np.isnan(happy["effect_size"])
    alone = {"a": [0.1] * 5}
    table = persons(people(study(alone), listed(alone)))
    assert comparison(table).empty
    assert "nothing to compare" in size_notes(table)[0]
