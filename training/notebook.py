"""Runs train.ipynb without opening it: the same cells, with other values in its parameter cell.

`python -m training.notebook DATA` is what `make train` calls.
"""

import argparse
import ast
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from tqdm import tqdm

from config import ROOT
from errors import TrainingError
from files import write_text
from training.commands import exit_status
from training.epochs import watch_epochs

NOTEBOOK: Final = ROOT / "train.ipynb"


def read_parameters() -> dict[str, Any]:
    """Return the parameters' names and default values, from the notebook's parameter cell."""
    cell = ast.parse(_parameter_cell(nbformat.read(NOTEBOOK, as_version=4)).source)
    lines = [line for line in cell.body if isinstance(line, ast.Assign)]
    return {ast.unparse(line.targets[0]): ast.literal_eval(line.value) for line in lines}


def with_parameters(notebook: Any, parameters: Mapping[str, Any]) -> Any:
    """Return the notebook with other values in its parameter cell; every other cell stays as it is.

    Raises:
        TrainingError: The notebook has no such parameter.

    """
    cell = _parameter_cell(notebook)
    source = cell.source
    for name, value in parameters.items():
        line = re.search(rf"^{name} = .*?(?=  #|$)", source, flags=re.MULTILINE)
        if line is None:
            raise TrainingError(f"The notebook has no parameter {name}: see the first cell of train.ipynb.")
        source = f"{source[: line.start()]}{name} = {value!r}{source[line.end() :]}"
    cell.source = source
    return notebook


def run(parameters: Mapping[str, Any], output: Path, on_epochs: Callable[[int], object]) -> None:
    """Run the notebook's cells in order in a kernel of their own, and write the executed copy to `output`.

    Args:
        parameters: Values by name, in place of the notebook's own.
        output: The executed notebook; it is written where a cell fails as well.
        on_epochs: Called now and then with the number of epochs that are done.

    Raises:
        TrainingError: A cell failed; the message is its error's.

    """
    notebook = with_parameters(nbformat.read(NOTEBOOK, as_version=4), parameters)
    client = NotebookClient(notebook, timeout=None, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}})
    checkpoints = Path(parameters.get("CHECKPOINTS", read_parameters()["CHECKPOINTS"]))
    try:
        with watch_epochs(ROOT / checkpoints / "log.csv", on_epochs):
            client.execute()
    except CellExecutionError as error:
        raise TrainingError(f"{error.ename}: {error.evalue}. All of it is in {output}.") from error
    finally:
        write_text(output, nbformat.writes(notebook))


def _parameter_cell(notebook: Any) -> Any:
    return next(cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", []))


def main(arguments: list[str] | None = None) -> int:
    """Train as the notebook does, with a progress bar; carry on where a stopped training was."""
    parser = argparse.ArgumentParser(prog="python -m training.notebook", description=main.__doc__)
    parser.add_argument("data", help="fer2013.csv, icml_face_data.csv, or a folder: train/angry/*.jpg, ...")
    parser.add_argument("--votes", default="", help="FER+'s fer2013new.csv for the same rows")
    parser.add_argument("--epochs", type=int, default=read_parameters()["EPOCHS"])
    parser.add_argument("--output", type=Path, default=Path("checkpoints/train.ipynb"), help="the executed notebook")
    given = parser.parse_args(arguments)
    parameters = {"DATA": given.data, "VOTES": given.votes, "EPOCHS": given.epochs}

    def work() -> None:
        with tqdm(total=given.epochs, unit="epoch", desc="Training", dynamic_ncols=True) as bar:
            run(parameters, given.output, lambda done: bar.update(done - bar.n))
        print(f"Wrote model.json, model_weights.h5 and network.onnx; the executed notebook is {given.output}.")

    return exit_status(work)


if __name__ == "__main__":
    sys.exit(main())
