"""Which hosts are in use, read past the store."""

import sqlite3
from contextlib import closing
from pathlib import Path


def held_locks(state: Path) -> dict[str, str]:
    """The id of the run that holds each locked host of a project's state folder."""
    with closing(sqlite3.connect(state / "intendant.db", timeout=30)) as connection:
        return dict(connection.execute("SELECT host, run_id FROM locks").fetchall())
