"""Intervals as events in the form of BIDS, the Brain Imaging Data Structure."""

from pathlib import Path

from pandas import DataFrame

from files import write_whole

_DIGITS = 4


def write_events(intervals: DataFrame, path: Path) -> None:
    """Write the intervals of one recording as task events (BIDS 1.10): tabs between columns, and n/a where nothing is.

    Args:
        intervals: As `find_intervals` returns them.
        path: Ends in events.tsv.

    Raises:
        ResultsError: It cannot be written.

    """
    columns = ["onset", "duration", "expression", "face", "name", "mean_probability", "peak_probability"]
    events = intervals[columns].rename(columns={"expression": "trial_type"}).round(_DIGITS)
    events["name"] = events["name"].replace("", None)
    write_whole(path, lambda partial: events.to_csv(partial, sep="\t", index=False, na_rep="n/a"))
