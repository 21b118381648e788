"""Lab hosts for pytest: `pytest_plugins = ["lab.fixtures"]`."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator

import pytest

from .hosts import LabHost
from .labs import Lab
from .mirror import PythonMirror
from .needs import missing


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """The session's lab. Skips where hosts cannot boot, which with CI=true is a failure."""
    if reasons := missing():
        message = f"no lab hosts here: {'; '.join(reasons)}"
        if os.environ.get("CI") == "true":
            pytest.fail(message, pytrace=False)
        pytest.skip(message)
    with Lab() as session:
        yield session


@pytest.fixture
def fresh_host(lab: Lab) -> Iterator[Callable[[str], LabHost]]:
    """A function from a suite to a brand-new host, which is stopped when the test ends."""
    booted: list[str] = []

    def boot(suite: str = "trixie") -> LabHost:
        host = lab.boot(unique_name(suite), suite)
        booted.append(host.name)
        return host

    yield boot
    for name in booted:
        lab.stop(name)


@pytest.fixture(scope="module")
def bookworm_host(lab: Lab) -> Iterator[LabHost]:
    """A bookworm host that the module's tests share."""
    yield from _shared(lab, "bookworm")


@pytest.fixture(scope="module")
def trixie_host(lab: Lab) -> Iterator[LabHost]:
    """A trixie host that the module's tests share."""
    yield from _shared(lab, "trixie")


@pytest.fixture(scope="session")
def python_mirror(lab: Lab) -> PythonMirror:
    """The lab's Python build, reachable from its hosts."""
    return PythonMirror(lab)


def unique_name(stem: str) -> str:
    """A host name that no other host of the lab has."""
    return f"{stem}-{secrets.token_hex(3)}"


def _shared(lab: Lab, suite: str) -> Iterator[LabHost]:
    host = lab.boot(unique_name(suite), suite)
    yield host
    lab.stop(host.name)
