"""The store's tables and how its database is opened; their versions are in `migrations/`."""

import logging
import sqlite3
import time
from pathlib import Path

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Engine,
    ForeignKey,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    inspect,
)
from sqlalchemy.engine import Connection
from sqlalchemy.pool import NullPool

METADATA = MetaData()
PLANS = Table(
    "plans",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("digest", String(64)),
    Column("created_at", DateTime),
    Column("status", String(16)),
    Column("document", Text),
)
PLAN_HOSTS = Table(
    "plan_hosts",
    METADATA,
    Column("plan_id", String(64), ForeignKey("plans.id"), primary_key=True),
    Column("host", String(255), primary_key=True),
)
APPROVALS = Table(
    "approvals",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("plan_id", String(64), ForeignKey("plans.id")),
    Column("at", DateTime),
    Column("used_by", String(64)),
    # Of a passkey: the hash of its credential's id, and what its authenticator had counted.
    Column("credential", String(64)),
    Column("sign_count", BigInteger),
    Column("document", Text),
)
RUNS = Table(
    "runs",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("plan_id", String(64), ForeignKey("plans.id")),
    Column("created_at", DateTime),
    Column("status", String(16)),
    Column("document", Text),
)
LOCKS = Table(
    "locks",
    METADATA,
    Column("host", String(255), primary_key=True),
    Column("run_id", String(64), ForeignKey("runs.id")),
)
_HEAD = "0002"
_SWITCH_ATTEMPTS = 200


def open_database(url: str) -> Engine:
    """An engine over an up-to-date schema; SQLite gets a write lock at the begin of each transaction."""
    if not url.startswith("sqlite"):
        engine = create_engine(url, pool_pre_ping=True)
    else:
        engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": 30, "check_same_thread": False})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    with engine.begin() as connection:
        if _version(connection) != _HEAD:
            _migrate(connection)
    return engine


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return None if found is None else str(found)


def _migrate(connection: Connection) -> None:
    from alembic import command  # slow to import, and needed once for each version
    from alembic.config import Config as AlembicConfig

    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _prepare_sqlite(connection: object, _: object) -> None:
    connection.isolation_level = None  # type: ignore[attr-defined]  # transactions are ours to begin
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute("PRAGMA foreign_keys=ON")
    _switch_to_wal(cursor)
    cursor.close()


def _switch_to_wal(cursor: sqlite3.Cursor) -> None:
    # Lasts for good; but unlike everything else, this one statement does not wait for another process's lock.
    for attempt in range(_SWITCH_ATTEMPTS):
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if attempt == _SWITCH_ATTEMPTS - 1:
                raise
            time.sleep(0.05)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later could otherwise fail when another one wrote in between.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
