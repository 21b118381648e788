"""Stores, and planned projects to run without hosts."""

from pathlib import Path

import pytest

from intendant.store import Store
from support.settings import no_settings
from unit.desks import DeskOf, copy_desk, plan_projects


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


@pytest.fixture(scope="session")
def planned(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    with no_settings():
        return plan_projects(tmp_path_factory.mktemp("planned"))


@pytest.fixture
def desk_of(planned: dict[str, Path], tmp_path: Path) -> DeskOf:
    """A function from the name of a planned project, and what a run will find, to a copy of it."""
    return lambda name="both", *results: copy_desk(planned[name], tmp_path / name, *results)
