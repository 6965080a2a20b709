"""The report of a run: what was analysed, what failed and why, with pictures, plots and tables that can be sorted.

It is one HTML file that holds all it shows, so that it opens from disk and can be sent to somebody.
"""

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.figure import Figure
from pandas import DataFrame

from analysis.figures import INK, draw_comparison, draw_curves
from config import ROOT, VERSION
from entities import DISPLAY_ORDER
from files import write_text

_UNCERTAIN: Final = "Uncertain"
_PICTURES: Final = 3
"""Faces of a file that are shown, those seen longest."""
_PARTS: Final = 400
"""Intervals of a file that are drawn, the longest: narrower ones cannot be seen."""


@dataclass(frozen=True, slots=True)
class Groups:
    """What was found about groups, as `analysis.groups` and `analysis.comparison` return it."""

    persons: DataFrame
    curves: DataFrame
    comparison: DataFrame
