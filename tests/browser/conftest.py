"""Chromium, the accessibility checks that run inside of its pages, and a place for screenshots."""

import importlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from intendant.app import App
from intendant.review.serving import ReviewServer
from mcp_server.harness import NoteRunner, open_fake, write_project

#: Chromium looks nothing up and needs no sandbox of its own where root runs it.
ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
_AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@contextmanager
def launch_chromium() -> Iterator[Any]:
    """A browser of one's own; each thread needs one."""
    program = shutil.which("chromium")
    if program is None:
        pytest.fail("there is no chromium; `make browser` installs it", pytrace=False)
    # Not installed for `make test` and `make lint`.
    with importlib.import_module("playwright.sync_api").sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def _marked(request: pytest.FixtureRequest) -> None:
    assert request.node.get_closest_marker("browser"), "these tests need what `make browser` installs"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """The browser. Playwright's event loop runs as long as it does, and tests that are async want one of their own."""
    with launch_chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def screenshots(repository: Path) -> Path:
    """The folder for pictures of the pages."""
    folder = repository / "build" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def axe(repository: Path) -> Callable[[Any], list[str]]:
    """A function from a page to what is wrong with it by WCAG 2.2, levels A and AA."""
    script = (repository / ".cache/npm/node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")

    def check(page: Any) -> list[str]:
        page.evaluate(script)
        found = page.evaluate("tags => axe.run({runOnly: {type: 'tag', values: tags}})", _AXE_TAGS)
        assert len(found["passes"]) > 5
        return [
            f"{item['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
            for item in found["violations"]
            for node in item["nodes"]
        ]

    return check


@pytest.fixture
def note(tmp_path: Path) -> Path:
    """The file that the intent writes."""
    return tmp_path / "note.txt"


@pytest.fixture
def app(tmp_path: Path, note: Path) -> App:
    """A project over this machine, whose runs are scripted."""
    return open_fake(write_project(tmp_path / "project", tmp_path / "state"), NoteRunner(note))


@pytest.fixture
def server(app: App) -> Iterator[ReviewServer]:
    """The page's server."""
    review = ReviewServer(lambda: app)
    yield review
    review.close()


@pytest.fixture
def open_page(chromium: Any, server: ReviewServer) -> Iterator[Callable[..., Any]]:
    """A function that opens a plan's page in a browser of its own; afterwards nothing may have gone wrong in it."""
    contexts, problems = [], []

    def note_request(request: Any, own: str) -> None:
        if not request.url.startswith(own):
            problems.append(f"asked elsewhere: {request.url}")

    def is_problem(said: Any) -> bool:
        # An answer that does not count is told with status 409, which the browser mentions.
        return said.type in ("error", "warning") and "status of 409" not in said.text

    def open_it(plan_id: str, size: str = "desktop", theme: str = "light", **options: Any) -> Any:
        options = {"viewport": SIZES.get(size), "color_scheme": theme, **options}
        context = chromium.new_context(**options)
        context.set_default_timeout(20_000)
        contexts.append(context)
        address = server.invite(plan_id)
        page = context.new_page()
        page.on("console", lambda said: problems.append(said.text) if is_problem(said) else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: note_request(request, "/".join(address.split("/")[:3])))
        page.goto(address)
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert problems == []
