"""The tables of the queue's database, and what is read from them."""

import json
import sqlite3
from typing import Final

from analysis.queue.job import Job, JobState, VideoOptions
from analysis.queue.turns import turn_order

USUAL_SPEED: Final = 30e6
"""Pixels a second that are analysed, before this computer has shown how many it can."""
VERSION: Final = 5
TABLES: Final = """
CREATE TABLE uploads (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    network TEXT NOT NULL,
    bytes INTEGER NOT NULL
);
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    network TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    created REAL NOT NULL,
    started REAL,
    finished REAL,
    done REAL NOT NULL DEFAULT 0,
    total REAL NOT NULL DEFAULT 0,
    work REAL NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    code TEXT NOT NULL DEFAULT '',
    message TEXT NOT NULL DEFAULT '',
    options TEXT NOT NULL
);
CREATE TABLE turns (
    party TEXT PRIMARY KEY,
    at REAL NOT NULL
)
"""


def read_job(row: sqlite3.Row) -> Job:
    """Return the job in a row of the table `jobs`."""
    options = VideoOptions(**json.loads(row["options"]))
    return Job(**{**dict(row), "state": JobState(row["state"]), "options": options})


def queue_order(database: sqlite3.Connection) -> list[Job]:
    """Return the jobs that wait, in the order of their turns."""
    turns = {row["party"]: row["at"] for row in database.execute("SELECT * FROM turns")}
    rows = database.execute("SELECT * FROM jobs WHERE state = 'queued'")
    queued = {row["number"]: read_job(row) for row in rows}
    return [queued[number] for number in turn_order({number: parties(job) for number, job in queued.items()}, turns)]


def parties(job: Job) -> tuple[str, str]:
    """Return whose turn a job takes: that of the network it comes from, and that of its visitor."""
    return f"network {job.network}", f"visitor {job.owner}"


def recent_speed(database: sqlite3.Connection) -> float:
    """Return how many pixels a second were analysed lately."""
    query = "SELECT sum(work) / sum(finished - started) FROM jobs WHERE state = 'done' AND work > 0"
    return float(database.execute(query).fetchone()[0] or USUAL_SPEED)


def ids(database: sqlite3.Connection, query: str, *values: float) -> set[str]:
    """Return the column `id` of what a query finds."""
    return {row["id"] for row in database.execute(query, values)}
