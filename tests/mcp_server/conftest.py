"""A project on this machine, the application over it, and clients of both protocol eras."""

from pathlib import Path
from typing import Any

import pytest

from intendant.app import App
from intendant.inventory import Inventory, InventoryView
from mcp_server.harness import MODES, Connect, NoteRunner, open_client, open_fake, write_project


@pytest.fixture(scope="session")
def views() -> dict[tuple[str, str], InventoryView]:
    """What ansible-inventory said, by inventory and pattern."""
    return {}


@pytest.fixture(autouse=True)
def _read_each_inventory_once(views: dict[tuple[str, str], InventoryView], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test has the same few inventories, and Ansible takes a second for each."""
    read = Inventory.read

    def read_once(self: Inventory, pattern: str = "all") -> InventoryView:
        text = (self._config.project_dir / "inventory" / "hosts.yml").read_text(encoding="utf-8")
        if (text, pattern) not in views:
            views[text, pattern] = read(self, pattern)
        return views[text, pattern]

    monkeypatch.setattr(Inventory, "read", read_once)


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    """The protocol era: stateless 2026-07-28, or the initialize handshake."""
    return str(request.param)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one host, `here`: this machine."""
    return write_project(tmp_path / "project", tmp_path / "state")


@pytest.fixture
def app(project: Path, note: Path) -> App:
    """The project's application; of Ansible only the runner is scripted."""
    return open_fake(project, NoteRunner(note))


@pytest.fixture
def note(tmp_path: Path) -> Path:
    """The file that the intent writes; it does not exist yet."""
    return tmp_path / "note.txt"


@pytest.fixture
def steps(note: Path) -> list[dict[str, Any]]:
    """One step that writes the note."""
    return [{"intent": "note", "params": {"note_text": "hello", "note_path": str(note)}}]


@pytest.fixture
def connect(app: App, mode: str) -> Connect:
    """Opens a client of the given era on a server of the project."""
    return lambda **options: open_client(app, mode, **options)
