"""Checks of others against our server: the npm packages that `make inspector` and `make conformance` install."""

import os
from pathlib import Path

import pytest

from intendant.scaffold import init_project


@pytest.fixture(scope="session")
def npm_programs(repository: Path) -> Path:
    """The folder of the installed programs."""
    folder = repository / ".cache/npm/node_modules/.bin"
    if not folder.is_dir():
        pytest.fail("the npm packages are not installed; run `make inspector` or `make conformance`", pytrace=False)
    return folder


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new project, as `intendant init` makes it."""
    folder = tmp_path_factory.mktemp("project")
    init_project(folder)
    return folder


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """For every process of these checks: a home and a state folder of their own."""
    home = tmp_path_factory.mktemp("home")
    return {**os.environ, "HOME": str(home), "INTENDANT_STATE_DIR": str(home / "state")}
