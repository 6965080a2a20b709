"""Requirements come in parts, each library in one, and commands say what is missing."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import parts
from errors import MissingLibraryError

COMMANDS = {
    ("app.py",): ("flask", "run"),
    ("analyze.py", "x.mp4"): ("pyarrow", "studies"),
    ("evaluate.py", "--data", "x.csv"): ("pandas", "train"),
    ("evaluate.py", "--people", "x"): ("sklearn", "train"),
    ("benchmark.py", "x.mp4"): ("psutil", "train"),
    ("-m", "training.check", "x.csv"): ("pandas", "train"),
    ("-m", "training.notebook", "x.csv"): ("nbclient", "train"),
}
"""Commands, a library that each cannot do without, and the part that it is in."""


def requirements(part: str) -> list[Requirement]:
    """Return what a part lists itself."""
    lines = (parts.ROOT / "requirements" / f"{part}.txt").read_text().splitlines()
    return [Requirement(line) for line in lines if line and line[0] not in "#-"]


@pytest.mark.parametrize(("command", "missing"), COMMANDS.items(), ids=" ".join)
def test_a_command_names_the_missing_library_and_the_line_that_installs_it(command, missing, tmp_path: Path):
    """It says no more than that: no traceback."""
    module, part = missing
    (tmp_path / f"{module}.py").write_text(f"raise ModuleNotFoundError('no', name={module!r})")
    result = subprocess.run(
        [sys.executable, *command],
        cwd=parts.ROOT,
        env={"PYTHONPATH": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    package = parts.PACKAGES.get(module, module)
    assert result.returncode == 1
    assert (
        result.stderr
        == f"error: {package} is not installed. Install what is needed with\n  {parts.how_to_install(part)}\n"
    )


def test_an_optional_library_that_is_missing_is_an_error_with_the_line_that_installs_it():
    """So that a command can catch it like any other error."""
    with pytest.raises(MissingLibraryError, match=r"onnx is not installed.*\n.*train.txt"), parts.require():
        raise ModuleNotFoundError(name="onnx.helper")


@pytest.mark.parametrize(("module", "part"), [("flask", "train"), ("scipy", "train"), ("pylsl", "outputs")])
def test_a_room_that_needs_a_part_whole_names_it_for_what_is_in_it(monkeypatch, module: str, part: str):
    """A library of another part is not installed with it."""
    monkeypatch.setitem(sys.modules, "training", sys)
    with pytest.raises(MissingLibraryError, match=rf"requirements/{part}\.txt"), parts.require():
        raise ModuleNotFoundError(name=module)


def test_a_module_of_our_own_that_is_missing_stays_what_it_is():
    """It is a bug, not something to install."""
    with pytest.raises(ModuleNotFoundError), parts.require():
        raise ModuleNotFoundError(name="vision.nothing")


def test_each_library_is_listed_once():
    """Which part it is in would otherwise be anybody's guess, and ranges would differ."""
    listed = [(r.name, str(r.marker)) for part in parts.PARTS for r in requirements(part)]
    assert len(listed) == len(set(listed))


def test_the_whole_names_what_people_look_for():
    """It includes every part, and says which of the libraries that people know are in it."""
    whole = (parts.ROOT / "requirements.txt").read_text()
    files = [f"-r requirements/{part}.txt" for part in parts.PARTS]
    known = ["tensorflow", "keras", "opencv", "flask", "numpy", "pandas", "matplotlib"]
    assert [name for name in [*files, *known] if name not in whole] == []


def test_constraints_are_names_and_versions_within_the_ranges():
    """A version outside of a range could not be installed; an address would be one machine's."""
    text = (parts.ROOT / "constraints.txt").read_text()
    pinned = [Requirement(line) for line in text.splitlines() if line[0] != "#"]
    assert not re.search(r"://|^-|@", text, re.MULTILINE)
    for wanted in (r for part in parts.PARTS for r in requirements(part)):
        pins = [pin for pin in pinned if canonicalize_name(pin.name) == canonicalize_name(wanted.name)]
        assert pins, f"{wanted.name} is not in constraints.txt: run make upgrade"
        for pin in pins:
            (version,) = pin.specifier
            assert version.operator == "=="
            assert version.version in wanted.specifier


def test_the_page_needs_nothing_of_the_part_for_studies():
    """Its videos, their faces, and the report on all of them are made with the libraries of the running part alone."""
    missing = [requirement.name for requirement in requirements("studies")]
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({missing!r}));"
        "import analysis.queue.worker, analysis.recording.video, analysis.recording.identities;"
        "import analysis.study.joint_report, web.routes.reports"
    )
    subprocess.run([sys.executable, "-c", code], cwd=parts.ROOT, check=True)
