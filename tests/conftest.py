"""What every test gets: an environment without anything of the machine's own user."""

import os
import signal
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

BEGAN = pytest.StashKey[float]()

pytest_plugins = ["lab.fixtures"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """For suites that are longer than the time that is left."""
    parser.addoption("--within", type=float, help="seconds after which no other test is begun")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Note when it all began."""
    session.stash[BEGAN] = time.monotonic()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, visibly, what the time does not suffice for."""
    within: float | None = item.config.getoption("--within")
    if within is not None and time.monotonic() - item.session.stash[BEGAN] > within:
        pytest.skip(f"not begun: {within:.0f} s are over")


def pytest_configure() -> None:
    """A shell that starts us in the background has us ignore interrupts, and so would what the tests start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test that uses a lab host, however indirectly, carries the marker for it."""
    for item in items:
        if "lab" in getattr(item, "fixturenames", ()):
            item.add_marker("lab")


@pytest.fixture(autouse=True)
def _clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of the user's, and a state folder of the test's own."""
    for name in os.environ:
        if name.startswith(("ANSIBLE_", "INTENDANT_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg-state"))


@pytest.fixture
def anyio_backend() -> str:
    """The MCP SDK's servers are run on asyncio."""
    return "asyncio"


@pytest.fixture(scope="session")
def repository() -> Path:
    """The top of the checkout."""
    return ROOT
