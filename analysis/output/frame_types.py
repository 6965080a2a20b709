"""Tables whose columns and types are always the same, also where there are no rows."""

from collections.abc import Mapping, Sequence

from pandas import DataFrame, concat


def joined(tables: Sequence[DataFrame], types: Mapping[str, str]) -> DataFrame:
    """Return several tables below each other, with these columns of these types."""
    filled = [table for table in tables if len(table)]
    return (concat(filled, ignore_index=True) if filled else DataFrame(columns=list(types))).astype(dict(types))
