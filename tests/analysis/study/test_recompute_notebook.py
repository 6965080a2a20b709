"""The notebook that recomputes a study without this program finds its numbers, and would notice others."""

from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbclient import NotebookClient

from analysis.batch.dataset import Dataset
from analysis.study.study import conclude, read_lists
from config import ROOT, Settings
from entities import EXPRESSIONS
from tests.analysis.study.test_study import add, save_no_figures
from tests.helpers.tables import course, together

NOTEBOOK = ROOT / "examples" / "recompute.ipynb"
PEOPLE = 5


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a study of ten people, one with two files, whose markers come at other times in each."""
    folder, rng = tmp_path_factory.mktemp("study"), np.random.default_rng(3)
    markers, groups = ["file,time,label"], ["file,group,person"]
    for number in range(2 * PEOPLE + 1):
        name, group = f"{number}.mp4", "warm" if number < PEOPLE else "cool"
        film = 0.83 + 0.19 * number
        smile = np.where(np.arange(40) / 10 > film + 0.4, 0.7 if group == "warm" else 0.3, 0.2)
        frames = together(
            course("Happy", list(np.clip(smile + rng.normal(0, 0.08, 40), 0.01, 0.97)), file=name),
            course("Sad", [0.6] * 12, face=2, file=name),
        )
        frames["usable"] = pd.array(rng.random(len(frames)) > 0.15, "boolean")
        frames["uncertain"] = pd.array(frames[list(EXPRESSIONS)].max(axis=1) < 0.35, "boolean")
        add(Dataset(folder / "out"), name, str(number), frames)
        markers += [f"{name},0,alone", f"{name},{film},film", f"{name},{film + 1.1},song"]
        groups.append(f"{name},{group},P{min(number, 2 * PEOPLE - 1)}")
    (folder / "markers.csv").write_text("\n".join(markers))
    (folder / "groups.csv").write_text("\n".join(groups))
    files = [f"{number}.mp4" for number in range(2 * PEOPLE + 1)]
    with pytest.MonkeyPatch.context() as patched:
        save_no_figures(patched)
        conclude(folder / "out", read_lists(folder / "markers.csv", folder / "groups.csv", files), Settings())
    return folder


@pytest.mark.timeout(300)
def test_it_finds_the_same_numbers_and_would_notice_others(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of markers, people, curves, comparisons and differences, to rounding; a mean that is off by 1e-6 is too much."""
    monkeypatch.setenv("STUDY", str(study / "out"))
    monkeypatch.setenv("LISTS", str(study))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    wrong = "check('wrong', people['mean'] + 1e-6, people['mean'])"
    noticed = f"try:\n    {wrong}\nexcept AssertionError as error:\n    print(error)"
    notebook.cells.append(nbformat.v4.new_code_cell(noticed))
    NotebookClient(notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}).execute()
    table = notebook.cells[-2]["outputs"][0]["data"]["text/plain"]
    for name in ("markers: latency", "people: peak", "curves: high", "comparison: Hedges' g", "within: g_av"):
        assert name in table
    assert notebook.cells[-1]["outputs"][0]["text"].startswith("wrong: 1")


def test_it_uses_nothing_of_this_program() -> None:
    """Else it would prove nothing."""
    text = "\n".join(
        cell["source"] for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell["cell_type"] == "code"
    )
    imported = {line.split()[1].split(".")[0] for line in text.splitlines() if line.startswith(("import ", "from "))}
    assert imported == {"os", "itertools", "pathlib", "numpy", "pandas", "scipy"}
