"""The notebook of a small study runs from its first cell to its last, and is kept with its plots."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.conftest import ROOT

NOTEBOOK = ROOT / "examples" / "study.ipynb"
PLOTS = 4


def plots(notebook: Any) -> int:
    """Return how many pictures a notebook's cells show."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    return sum("image/png" in output.get("data", {}) for output in outputs)


@pytest.mark.timeout(300)  # it loads the network and analyses forty seconds of video, on a machine that may be busy
def test_it_runs_and_finds_what_was_put_in() -> None:
    """The group that smiles does so under the marker of the visitor, and differs from the other by far."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    notebook.cells.append(
        nbformat.v4.new_code_cell(
            "latency = smiles[smiles['marker'] == 'visitor'].set_index('file')['latency']\n"
            "assert latency.filter(like='warm').between(0.3, 2).all() and latency.filter(like='cool').isna().all()\n"
            "assert happy.set_index('marker').loc['visitor', 'effect_size_high'] < -1"
        )
    )
    NotebookClient(notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}).execute()
    assert plots(notebook) == PLOTS


def test_it_is_kept_executed() -> None:
    """Who only looks at it sees its plots, and no folder of the computer that made them."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert plots(notebook) == PLOTS
    text = NOTEBOOK.read_text("utf-8")
    assert str(Path.home()) not in text
    assert str(ROOT) not in text
