"""Whether the queue has room for another video: of this visitor, from this network, and on the disk."""

import shutil
import sqlite3
from pathlib import Path
from typing import Final

from errors import QueueFullError, ResultsError

ROOM: Final = 3
"""Free disk space that a video needs, in times its own size: itself, the annotated one, and both in a ZIP."""


def check_number(database: sqlite3.Connection, owner: str, network: str, *, most: int, most_each: int) -> None:
    """Check how many videos are kept: `most` altogether, `most_each` of this visitor, and of this network half of all.

    Any number may come from a network that is not known.

    Raises:
        QueueFullError: There are so many already.

    """
    query = (
        "SELECT count(*), coalesce(sum(owner = ?), 0), coalesce(sum(network = ?), 0) "
        "FROM (SELECT owner, network FROM jobs UNION ALL SELECT owner, network FROM uploads)"
    )
    everyone, own, near = database.execute(query, (owner, network)).fetchone()
    if own >= most_each:
        raise QueueFullError(
            f"You already have {own} video{'s' * (own != 1)} here, which is the limit. Delete one and try again."
        )
    if everyone >= most:
        raise QueueFullError("The app is full: it cannot keep any more videos. Try again later.")
    if network and near >= (most_near := max(most_each, most // 2)):
        raise QueueFullError(f"{most_near} videos from your network are here, as many as are kept. Try again later.")


def check_disk(database: sqlite3.Connection, folder: Path, size: int) -> None:
    """Check whether so many bytes more, and what is on its way, have room below the folder, with their results.

    Raises:
        ResultsError: They have not.

    """
    on_their_way = database.execute("SELECT coalesce(sum(bytes), 0) FROM uploads").fetchone()[0]
    if shutil.disk_usage(folder).free < ROOM * (on_their_way + size):
        raise ResultsError(f"The disk is full; videos need more space in {folder}.")
