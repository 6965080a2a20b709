"""What an analysis in Python returns: tables, a plot, and, if wanted, files."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from analysis.output.intervals import find_intervals
from analysis.output.parquet import frames_table
from analysis.output.result_folder import results_folder
from analysis.output.tables import Record
from analysis.recording.face_table import face_rows
from analysis.recording.picture import PictureFindings
from analysis.recording.video import VideoFindings


@dataclass(frozen=True)
class Result:
    """What one video or picture shows."""

    name: str
    """What it is called in the tables."""
    records: Sequence[Record] = field(repr=False)
    """Frame after frame, as `frames.json` has them."""
    findings: VideoFindings | PictureFindings = field(repr=False)
    """What was found in the whole of it."""

    @cached_property
    def frames(self) -> pd.DataFrame:
        """A row a face and frame, and one where a frame has no face; the columns are those of `tables.COLUMNS`."""
        return frames_table(self.records, self.name, uncorrected=self.findings.uncorrected)

    @cached_property
    def faces(self) -> pd.DataFrame:
        """A row a person; the columns are those of `face_table.face_rows`."""
        return face_rows(self.name, self.findings.summaries)

    @cached_property
    def intervals(self) -> pd.DataFrame:
        """A row a stretch in which a face shows an expression; the columns are those of `intervals.COLUMNS`."""
        return find_intervals(self.frames, **self.findings.interval_limits)

    def plot(self) -> Figure:
        """Return the timeline of a video, or the annotated picture."""
        return self.findings.plot()

    def write(self, folder: str | Path, *, overwrite: bool = False) -> None:
        """Write what the command writes of one file, but for the annotated video, into a folder.

        Args:
            folder: The folder to make; it is there as a whole or not at all.
            overwrite: Whether it may replace earlier results.

        Raises:
            ResultsError: It cannot be written, or is there already.

        """
        with results_folder(Path(folder), overwrite=overwrite) as partial:
            self.findings.write(partial, self.records)
