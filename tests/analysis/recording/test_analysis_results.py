"""Results are there as a whole or not at all."""

import zipfile
from errno import EACCES, ENOSPC
from pathlib import Path

import pytest

from analysis.output.result_folder import pack, results_folder, revised
from errors import ResultsError


def write_results(target: Path, text: str = "new", *, overwrite: bool = False, error: Exception | None = None) -> None:
    """Write a summary and a second file, with an error between the two if one is given."""
    with results_folder(target, overwrite=overwrite) as folder:
        (folder / "summary.json").write_text(text, encoding="utf-8")
        if error:
            raise error
        (folder / "frames.csv").write_text(text, encoding="utf-8")


def content(folder: Path) -> list[str]:
    """Return the names in a folder, hidden ones included."""
    return sorted(path.name for path in folder.iterdir())


def test_results_come_into_place_at_the_end(tmp_path: Path) -> None:
    """The folder appears only when all is written, with nothing beside it."""
    target = tmp_path / "deep" / "target"
    with results_folder(target) as folder:
        (folder / "summary.json").touch()
        assert not target.exists()
    assert content(tmp_path / "deep") == ["target"]
    assert content(target) == ["summary.json"]


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    """The error comes out as it is, and no half-written file remains."""
    with pytest.raises(ZeroDivisionError):
        write_results(tmp_path / "target", error=ZeroDivisionError())
    assert content(tmp_path) == []


def test_a_full_disk_is_said_in_words(tmp_path: Path) -> None:
    """Out of space is named, and what was written is removed, which gives the space back."""
    with pytest.raises(ResultsError, match="disk is full"):
        write_results(tmp_path / "target", error=OSError(ENOSPC, "No space left on device"))
    assert content(tmp_path) == []


def test_other_write_errors_name_the_place(tmp_path: Path) -> None:
    """A folder without permission is an error with its path and the system's reason."""
    with pytest.raises(ResultsError, match=f"cannot be written to {tmp_path}: Permission denied"):
        write_results(tmp_path / "target", error=OSError(EACCES, "Permission denied"))


def test_old_results_stay_unless_overwritten(tmp_path: Path) -> None:
    """A second run refuses; with `overwrite` it replaces the whole folder."""
    target = tmp_path / "target"
    write_results(target, "old")
    with pytest.raises(ResultsError, match="already exists"):
        write_results(target)
    (target / "moment-Sad.jpg").touch()
    write_results(target, "new", overwrite=True)
    assert content(target) == ["frames.csv", "summary.json"]
    assert (target / "summary.json").read_text(encoding="utf-8") == "new"
    assert content(tmp_path) == ["target"]


def test_a_failed_replacement_keeps_the_old_results(tmp_path: Path) -> None:
    """Until the new ones are complete, the old ones stay."""
    target = tmp_path / "target"
    write_results(target, "old")
    with pytest.raises(ZeroDivisionError):
        write_results(target, overwrite=True, error=ZeroDivisionError())
    assert (target / "summary.json").read_text(encoding="utf-8") == "old"
    assert content(tmp_path) == ["target"]


def test_other_folders_are_never_replaced(tmp_path: Path) -> None:
    """A folder that holds something else is not touched, even with `overwrite`."""
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(ResultsError, match="holds no results"):
        write_results(tmp_path, overwrite=True)
    assert content(tmp_path) == ["thesis.txt"]


def test_pack_puts_all_files_into_one(tmp_path: Path) -> None:
    """The ZIP file holds every file of the folder but itself, and is sound."""
    for name in ("frames.csv", "annotated.mp4"):
        (tmp_path / name).write_text(name * 100, encoding="utf-8")
    pack(tmp_path)
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["annotated.mp4", "frames.csv"]
        assert archive.read("frames.csv").decode() == "frames.csv" * 100


def test_a_change_that_is_killed_leaves_a_whole_zip_and_the_old_summary(tmp_path: Path) -> None:
    """The ZIP is replaced as a whole, and the summary last: it tells that the other files have to be made again."""
    target = tmp_path / "target"
    write_results(target, "old")
    with revised(target) as new:
        (new / "frames.csv").write_text("new", encoding="utf-8")
    assert archived(target) == {"frames.csv": "new", "summary.json": "old"}
    moved = list[str]()

    def killed(_: Path, to: Path) -> None:
        moved.append(to.name)
        raise KeyboardInterrupt

    def change(patch: pytest.MonkeyPatch) -> None:
        with revised(target) as new:
            (new / "summary.json").write_text("new", encoding="utf-8")
            patch.setattr(Path, "replace", killed)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        change(patch)
    assert moved == ["all.zip"]
    assert archived(target) == {"frames.csv": "new", "summary.json": "old"}
    assert content(target) == ["all.zip", "frames.csv", "summary.json"]


def archived(folder: Path) -> dict[str, str]:
    """Return the texts in the ZIP file of a folder by their names."""
    with zipfile.ZipFile(folder / "all.zip") as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}
