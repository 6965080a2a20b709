"""Pairs: lists that fit or not, recordings aligned by what the list says, tables, figures and the report's section."""

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from numpy.typing import NDArray
from pandas import DataFrame

import analyze
from analysis.batch.dataset import Dataset, file_row
from analysis.output.codebook import codebook
from analysis.pairs.pair_list import read_pairs
from analysis.pairs.pair_report import PairResults, pair_section
from analysis.pairs.pair_study import conclude_pairs
from analysis.pairs.synchrony import Windows
from analysis.study.study import conclude, read_lists
from config import Settings
from entities import EXPRESSIONS, Box, Image
from errors import StudyError
from tests.helpers.footage import make_video
from tests.helpers.tables import course, nobody, together
from tests.helpers.talks import LAG, LATE, TALKS, WINDOWS, add, by_hand, make_talks, names, smiles, written


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run with all that a list of pairs makes of it."""
    out = tmp_path_factory.mktemp("pairs") / "out"
    out.mkdir()
    section, notes = conclude_pairs(out, read_pairs(make_talks(out), names(out)), WINDOWS, csv=True)
    assert section
    assert notes == []
    lists = read_lists(None, None, names(out))
    conclude(out, lists, Settings(), sections=[section])
    return out


def table(out: Path, name: str) -> DataFrame:
    """Return one of the tables of pairs."""
    return pd.read_parquet(out / "pairs" / f"{name}.parquet")


def test_a_pair_that_is_late_is_aligned_and_its_lag_found(study: Path):
    """What remains between 25 and 30 frames a second, 2.5 s late, is that Ben follows by half a second."""
    pairs = table(study, "pairs").query("measure == 'smile'")
    assert pairs["pair"].tolist() == [f"talk {number}" for number in range(TALKS)]
    assert pairs["peak_lag"].tolist() == pytest.approx([LAG] * TALKS)
    assert (pairs["peak_r"] > 0.99).all()
    assert (pairs["lead_a"] > pairs["lead_b"]).all()
    assert pairs["late_b"].tolist() == [LATE] * TALKS
    assert pairs["seconds"].tolist() == pytest.approx([24 - LATE] * TALKS)
    assert pairs[["person_a", "person_b"]].to_numpy().tolist()[1] == ["Ann <1>", "ben1.mp4"]
    curves = table(study, "curves").query("pair == 'talk 0'")
    steps = curves["time"].to_numpy()
    assert steps.tolist() == pytest.approx((0.1 * np.arange(215)).tolist())
    fine = smiles(0, fps=1000)[:21_500].reshape(215, 100).mean(axis=1)
    assert np.abs(curves["smile_a"] - fine).max() < 0.02
    assert np.abs(curves["smile_b"].to_numpy()[5:] - fine[:-5]).max() < 0.02


def test_tables_follow_from_the_curves(study: Path):
    """The windows and the synchrony, by plain loops over the table of curves, to 1e-12."""
    curves, windows, pairs = (table(study, name) for name in ("curves", "windows", "pairs"))
    steps = WINDOWS.in_steps(0.1)
    for (pair, measure), rows in windows.groupby(["pair", "measure"]):
        two = curves[curves["pair"] == pair]
        r = np.array(by_hand(two[f"{measure}_a"].to_numpy(), two[f"{measure}_b"].to_numpy(), steps))
        np.testing.assert_allclose(rows["r"].to_numpy(), r.ravel(), rtol=0, atol=1e-12)
        row = pairs[(pairs["pair"] == pair) & (pairs["measure"] == measure)].iloc[0]
        assert row["synchrony"] == pytest.approx(np.nanmean(np.abs(np.arctanh(r))), abs=1e-12)
        assert row["windows"] == np.isfinite(r).any(axis=1).sum()
        assert rows["time"].unique().tolist() == pytest.approx((2.0 * np.arange(len(r))).tolist())
        assert rows["lag"].unique().tolist() == pytest.approx((0.1 * np.arange(-10, 11)).tolist())
    gap = pairs[(pairs["pair"] == "talk 1")].iloc[0]
    assert gap["empty_windows"] > 0
    assert gap["share"] == pytest.approx(1 - 4.8 / 21.5, abs=0.01)


def test_real_pairs_are_compared_with_shuffled_ones(study: Path):
    """Twelve of four pairs; mean, effect size and what each pair has beyond them agree with the tables."""
    others, sample, pairs = (
        table(study, name).query("measure == 'smile'") for name in ("surrogates", "sample", "pairs")
    )
    row = sample[sample["statistic"] == "synchrony"].iloc[0]
    assert (row["surrogates"], row["shuffles"]) == (12, 24)
    assert row["p"] == pytest.approx(1 / 24)
    mean, sd = others["synchrony"].mean(), others["synchrony"].std()
    assert row["effect_size"] == pytest.approx((pairs["synchrony"].mean() - mean) / sd, abs=1e-12)
    assert pairs["effect_size"].tolist() == pytest.approx(((pairs["synchrony"] - mean) / sd).tolist(), abs=1e-12)
    assert row["effect_size"] > 1


def test_tables_figures_and_report_are_written(study: Path):
    """All columns are in the codebook, and none else; names of people are text in the report."""
    made = {path.name for path in (study / "pairs").iterdir()}
    assert {"pair-talk-0.png", "pair-talk-3.svg", "surrogates.png", "windows.csv", "sample.parquet"} <= made
    book = {name: columns for name, columns in codebook().items() if name.startswith("pairs/")}
    for name in ("pairs", "curves", "windows", "surrogates", "sample"):
        assert set(book[f"pairs/{name}"]) == set(table(study, name).columns), name
    assert len(book) == 6
    page = (study / "report.html").read_text("utf-8")
    assert "Ann &lt;0&gt; – ben0.mp4" in page
    assert "Ann <0>" not in page
    assert "(talk 0: face 1 of ann0.mp4 and face 1 of ben0.mp4, 2.5 s late, talk 1: face 1 of" in page
    assert "(the last)" not in page
    assert "Windows of 4 s, each half a window after the last, with lags up to 1 s either way" in page


def test_what_the_list_no_longer_says_is_gone(tmp_path: Path):
    """Without a list there is nothing of pairs; what somebody keeps there stays. A list there is not written over."""
    path = make_talks(tmp_path)
    conclude_pairs(tmp_path, read_pairs(path, names(tmp_path)), WINDOWS)
    (tmp_path / "pairs" / "thesis.txt").touch()
    section, notes = conclude_pairs(tmp_path, None, WINDOWS)
    assert section is None
    assert "removed" in notes[0]
    assert [path.name for path in (tmp_path / "pairs").iterdir()] == ["thesis.txt"]
    assert conclude_pairs(tmp_path, None, WINDOWS) == (None, [])
    with pytest.raises(StudyError, match="Rename yours"):
        read_pairs(path, names(tmp_path), written=[path])


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["file,late", "a,1"], "no column pair"),
        (["pair,file", ",a"], "line 2 has no pair"),
        (["pair,file", "x,a", "x,"], "line 3 has no file"),
        (["pair,file", "x,a", "y,b", "y,c"], "the pair x has one line. A pair is two lines"),
        (["pair,file", "x,a", "x,b", "x,c"], "x has 3 lines.*of three people, each two are a pair"),
        (["pair,file", "x,a", "x,a"], "names a twice. Write the number"),
        (["pair,file,face", "x,a,1", "x,a,1"], "names a twice"),
        (["pair,file,face", "x,a,1", "x,a,all"], "names a twice"),
        (["pair,file,face,late", "x,a,1,2", "x,a,2,3"], "One recording has one clock"),
        (["pair,file,face", "x,a,left", "x,b,"], "line 2: a face is a number"),
        (["pair,file,person", "x,a,P1", "x,b,P1"], "has P1 twice"),
        (["pair,file,late", "x,a,", "x,b,-2.5"], r"line 3: late is never below 0\. Write 2\.5 for the other file"),
        (["pair,file,late", "x,a,", "x,b,soon"], "line 3: “soon” is not a valid time"),
        (["pair,file", "x,nobody", "x,nothing"], "none of its files"),
    ],
)
def test_a_list_that_cannot_be_used_says_why(tmp_path: Path, lines: Sequence[str], words: str):
    """And what to do."""
    with pytest.raises(StudyError, match=words):
        read_pairs(written(tmp_path, "\n".join(lines)), ["a.mp4", "b.mp4", "c.mp4"])


def test_lists_are_as_forgiving_as_others(tmp_path: Path):
    """Tabs, decimal commas, endings left out and lines in any order; the first line of a pair is its first person."""
    text = "file\tPAIR\tlate\tface\nB\tx\t1,5\t\na\ty\tNA\t2.0\na\tx\t\tall\nB\ty\t\t\n"
    pairs = read_pairs(written(tmp_path, text), ["clips/a.mp4", "clips/b.mp4"])
    found = pairs.lines[["pair", "file", "late"]].to_numpy().tolist()
    a, b = "clips/a.mp4", "clips/b.mp4"
    assert found == [["x", b, 1.5], ["x", a, 0.0], ["y", a, 0.0], ["y", b, 0.0]]
    assert pairs.lines["face"].fillna(-1).tolist() == [-1, 0, 2, -1]
    assert pairs.lines["person"].tolist() == [b, a, a, b]


def test_a_file_that_is_not_analysed_leaves_its_pair_out(tmp_path: Path):
    """The others go on, and both are told."""
    pairs = read_pairs(written(tmp_path, "pair,file\nx,a\nx,gone\ny,b\ny,c\n"), ["a.mp4", "b.mp4", "c.mp4"])
    assert pairs.lines["pair"].tolist() == ["y", "y"]
    assert pairs.left_out == {"x": "gone is not analysed"}
    assert pairs.notes == ("list.csv: not among the files that are analysed: gone.",)


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """Return a run over one usable recording and many that are not."""
    dataset = Dataset(tmp_path)
    values = smiles(1, fps=10, seconds=12).tolist()
    for name in ("good.mp4", "other.mp4"):
        add(dataset, name, course("Happy", values, file=name))
    add(dataset, "short.mp4", course("Happy", values[:30], file="short.mp4"))
    add(dataset, "part.mp4", course("Happy", values[:50], file="part.mp4", start=50.0))
    add(dataset, "dark.mp4", course("Happy", values, file="dark.mp4", unusable=range(len(values))))
    add(dataset, "empty.mp4", nobody([number / 10 for number in range(120)], file="empty.mp4"))
    add(dataset, "slow.mp4", course("Happy", values[:20], file="slow.mp4", fps=0.5))
    add(dataset, "photo.mp4", course("Happy", [0.5], file="photo.mp4"), kind="picture", seconds=0.0)
    dataset.write("files", "bad", file_row({"file": "bad.mp4", "state": "failed", "reason": "It is no video."}))
    return tmp_path


@pytest.mark.parametrize(
    ("file", "late", "reason"),
    [
        ("short.mp4", "", "the recordings share 3 s, and a window with its lags takes 5: choose a smaller"),
        ("good.mp4", "99", "good.mp4 ends at 12 s, and late is 99"),
        ("good.mp4", "11.5", "the recordings share 0.5 s"),
        ("part.mp4", "", "the recordings share no time; look at late"),
        ("dark.mp4", "", "no usable frame shows dark.mp4"),
        ("empty.mp4", "", "no usable frame shows empty.mp4"),
        ("slow.mp4", "", "of slow.mp4, fewer than one frame a second was looked at"),
        ("photo.mp4", "", "photo.mp4 is a picture, which has no time"),
        ("bad.mp4", "", "bad.mp4 was not analysed"),
    ],
)
def test_a_pair_that_cannot_be_used_is_told(odd: Path, file: str, late: str, reason: str):
    """With its reason, in a table and in a note."""
    text = f"pair,file,late\nx,other.mp4,\nx,{file},{late}\n"
    section, notes = conclude_pairs(odd, read_pairs(written(odd, text), names(odd)), WINDOWS)
    assert section is None
    assert notes[0].startswith(f"Left out of pairs: x ({reason}")
    left_out = table(odd, "excluded")
    assert left_out["pair"].tolist() == ["x"]
    assert left_out["reason"].iloc[0].startswith(reason)
    assert [path.name for path in (odd / "pairs").iterdir()] == ["excluded.parquet"]


def test_one_recording_is_no_pair(odd: Path):
    """A copy under another name is in step with itself."""
    files = Dataset(odd).read("files")
    for name in ("good", "other"):
        Dataset(odd).write("files", name, files[files["folder"] == name].assign(sha256="abc"))
    listed = written(odd, "pair,file\nx,good.mp4\nx,other.mp4\n")
    _, notes = conclude_pairs(odd, read_pairs(listed, names(odd)), WINDOWS)
    assert notes == ["Left out of pairs: x (good.mp4 and other.mp4 are the same recording)."]


def test_a_report_of_many_pairs_stays_small(study: Path):
    """The first twenty are drawn; a peak at the last lag is named so."""
    row = table(study, "pairs").iloc[[0]].assign(peak_lag=-1.0)
    pairs = pd.concat([row.assign(pair=f"talk {number}") for number in range(22)])
    figures = {pair: Figure() for pair in pairs["pair"]}
    section = pair_section(PairResults(pairs, table(study, "sample"), figures, None), WINDOWS, 0.1)
    assert section.page.count("<svg") == 20
    assert "2 more pairs are drawn in the folder pairs." in section.page
    assert section.page.count("-1.0 s (the last)") == 22


def test_few_pairs_are_told(odd: Path):
    """One has no surrogates, and of two no p can be small; who is in both counts as two."""
    one = "pair,file\nx,good.mp4\nx,other.mp4\n"
    section, notes = conclude_pairs(odd, read_pairs(written(odd, one), names(odd)), WINDOWS)
    assert notes == ["There is one pair only, and so nothing that says how much synchrony there is by chance."]
    assert section
    assert "Against people who never met" not in section.page
    assert not (odd / "pairs" / "surrogates.png").exists()
    assert table(odd, "pairs")["effect_size"].isna().all()
    two = one + "y,other.mp4\ny,good.mp4\n"
    _, notes = conclude_pairs(odd, read_pairs(written(odd, two), names(odd)), WINDOWS)
    assert notes == [
        "In several pairs, which shuffling takes for different people: other.mp4, good.mp4.",
        "2 pairs can be shuffled in so few ways that p is never below 0.05.",
    ]
    with pytest.raises(StudyError, match=r"a window has 10 steps of 0\.1 s at least"):
        conclude_pairs(odd, read_pairs(written(odd, two), names(odd)), Windows(0.5, 1))


def test_two_people_in_one_recording_are_a_pair(tmp_path: Path):
    """By their faces' numbers; a face that is hardly seen is told of."""
    ann, ben = (smiles(3, after=after, fps=10, seconds=20).tolist() for after in (0.0, LAG))
    frames = together(
        course("Happy", ann, file="both.mp4", face=4), course("Happy", ben[:150], file="both.mp4", face=7)
    )
    add(Dataset(tmp_path), "both.mp4", frames, seconds=20.0, fps=10.0)
    listed = written(tmp_path, "pair,file,face\nx,both.mp4,4\nx,both.mp4,7\n")
    section, notes = conclude_pairs(tmp_path, read_pairs(listed, ["both.mp4"]), WINDOWS)
    assert section
    assert notes[0].startswith("The face that counts in pairs is in less than 80% of the frames with faces: both.mp4")
    row = table(tmp_path, "pairs").iloc[1]
    assert (row["person_a"], row["person_b"]) == ("both.mp4 face 4", "both.mp4 face 7")
    assert (row["face_a"], row["face_b"], row["peak_lag"]) == (4, 7, pytest.approx(LAG))
    everybody = written(tmp_path, "pair,file,face\nx,both.mp4,all\nx,other.mp4,\n")
    add(Dataset(tmp_path), "other.mp4", course("Happy", ann, file="other.mp4"))
    with pytest.raises(StudyError, match="not all are one person's"):
        conclude_pairs(tmp_path, read_pairs(everybody, names(tmp_path)), WINDOWS)


class Brightness:
    """A classifier to which a brighter face is a happier one."""

    def predict(self, faces: Sequence[Image] | Image) -> NDArray[np.float32]:
        """Return one row a face."""
        happy = np.clip([(float(np.mean(face)) - 60) / 120 for face in faces], 0.05, 0.95)
        rows = np.repeat((1 - happy)[:, None] / 6, len(EXPRESSIONS), axis=1)
        rows[:, EXPRESSIONS.index("Happy")] = happy
        return rows.astype(np.float32)


def lit(portrait: Image, light: NDArray[np.float64]) -> list[Image]:
    """Return pictures of a portrait in a changing light, small."""
    small = cv2.resize(portrait, (208, 240), interpolation=cv2.INTER_AREA)
    return [np.asarray(np.clip(small * (0.5 + 0.7 * value), 0, 255), np.uint8) for value in light]


def test_from_videos_to_the_report(tmp_path: Path, portrait: tuple[Image, Box], capsys) -> None:
    """Two conversations of ten seconds; the second recording of each is late, has another rate, and follows."""
    clips, lines = tmp_path / "clips", ["pair,file,late"]
    clips.mkdir()
    for number in range(2):
        for name, fps, late, after in (("ann", 10, 0, 0.0), ("ben", 15, LATE, LATE + LAG)):
            light = smiles(20 + number, after=after, fps=fps, seconds=10 + late)
            make_video(clips / f"{name}{number}.mp4", iter(lit(portrait[0], light)), fps=fps)
            lines.append(f"t{number},{name}{number}.mp4,{late}")
    out, listed = tmp_path / "out", written(tmp_path, "\n".join(lines))
    asked = ["--pairs", str(listed), "--pair-window", "4", "--pair-lag", "1", "--format", "csv"]
    assert analyze.main([str(clips), "--out", str(out), *asked], Brightness()) == 0
    assert "2 pairs can be shuffled in so few ways" in capsys.readouterr().err
    pairs = pd.read_csv(out / "pairs" / "pairs.csv").query("measure == 'smile'")
    assert pairs["peak_lag"].tolist() == pytest.approx([LAG] * 2, abs=0.1001)
    assert (pairs["peak_r"] > 0.9).all()
    run = json.loads((out / "run.json").read_text("utf-8"))["runs"][0]
    assert (run["options"]["pairs"], run["options"]["pair_window"]) == (str(listed), "4.0")
    assert str(listed) in run["files_read"]
    assert '<section id="pairs">' in (out / "report.html").read_text("utf-8")
    named = [str(clips / f"{name}.mp4") for name in ("ann0", "ben0", "ann1")]
    assert analyze.main([*named, "--out", str(out), *asked], Brightness()) == 0
    assert pd.read_csv(out / "pairs" / "pairs.csv")["pair"].unique().tolist() == ["t0"]
    assert "t1 (ben1.mp4 is not analysed)" in capsys.readouterr().err
    assert analyze.main(["--forget", "ben0.mp4", "--out", str(out)], Brightness()) == 0
    assert not (out / "pairs").exists()
    assert "so what an earlier run found about pairs is removed" in capsys.readouterr().err
