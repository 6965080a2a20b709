"""What a run's files show together: intervals, markers and groups, made of its tables of frames, and the report.

It costs little beside the analysis, and is done anew in every run: other markers, groups or limits of intervals need no
file to be analysed again. One file's frames at a time are in memory.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd
from pandas import DataFrame

from analysis.comparison import comparison
from analysis.courses import COLUMNS as COURSE_COLUMNS
from analysis.courses import courses, step_for
from analysis.dataset import Dataset
from analysis.figures import draw_comparison, draw_curves
from analysis.groups import curves, group_table, people, persons, read_groups
from analysis.interval_files import write_interval_files
from analysis.intervals import find_intervals
from analysis.lists import run_names
from analysis.markers import TABLE as MARKER_TYPES
from analysis.markers import apply_markers, marker_table, outside, read_markers
from analysis.report import GroupResults, Pictures, write_report
from config import IntervalSettings
from files import write_whole

_MOST_NAMED: Final = 5
"""Names that a note lists at most."""


@dataclass(frozen=True, slots=True)
class Lists:
    """What a researcher says about the files of a run."""

    markers: Path | None = None
    """A CSV file as `analysis.markers.read_markers` takes it."""
    groups: Path | None = None
    """A CSV file as `analysis.groups.read_groups` takes it."""
