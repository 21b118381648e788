"""The review page as a person has it: in Chromium."""

import http.server
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from browser.plans import keep_large, keep_site
from intendant.app import App
from intendant.intents import Step
from intendant.plans import Plan
from intendant.review.serving import ReviewServer
from mcp_server.harness import read_note

pytestmark = pytest.mark.browser
LOOKS = [(size, theme) for size in ("desktop", "phone") for theme in ("light", "dark")]
Open = Callable[..., Any]


@pytest.fixture
def made(app: App, note: Path) -> Plan:
    step = Step(intent="note", params={"note_text": "hello", "note_path": str(note)})
    return app.planner.plan_changes("here", [step], request="write the note hello", client="desk")


@pytest.mark.parametrize(("size", "theme"), LOOKS)
def test_every_page_is_accessible_and_looks_as_its_pictures(
    app: App, open_page: Open, axe: Callable[[Any], list[str]], screenshots: Path, size: str, theme: str
) -> None:
    plan = keep_site(app)
    page = open_page(plan.id, size, theme)

    def look(name: str) -> None:
        assert axe(page) == [], name
        page.screenshot(path=screenshots / f"{name}-{size}-{theme}.png", full_page=True)

    look("plan")
    if size == "desktop":
        page.get_by_text("Unified").click()
        look("unified")
    page.goto(page.url + "diff/1/1")
    look("diff")
    page.get_by_role("link", name="Back to the plan").click()
    page.get_by_label("To approve, type its hosts").fill("wrong")
    page.get_by_role("button", name="Approve").click()
    look("refused")
    page.get_by_label("To approve, type its hosts").fill("web")
    page.get_by_label("Comment").fill("for ticket 7")
    page.get_by_role("button", name="Approve").click()
    page.get_by_text("It waits to be applied").wait_for()
    look("approved")


def test_approving_by_clicking_and_following_the_run(
    app: App, open_page: Open, made: Plan, note: Path, axe: Callable[[Any], list[str]], screenshots: Path
) -> None:
    page = open_page(made.id)
    page.get_by_label("Comment").fill("go")
    page.get_by_role("button", name="Approve exactly this plan").click()
    page.get_by_text("It waits to be applied").wait_for()
    approval = app.approver.current(made.id)
    assert approval is not None
    assert (approval.channel, approval.comment, approval.digest) == ("page", "go", made.digest)
    where = page.url
    app.applier.apply_plan(made.id)
    page.get_by_text("everything went as planned").wait_for()  # by itself
    assert page.url == where
    assert page.locator(".pill").text_content() == "applied"
    assert read_note(note) == "hello\n"
    assert axe(page) == []
    page.screenshot(path=screenshots / "applied-desktop-light.png", full_page=True)


def test_rejecting_needs_nothing_typed(app: App, open_page: Open) -> None:
    plan = keep_site(app)
    page = open_page(plan.id)
    page.get_by_role("button", name="Reject").click()
    page.get_by_role("heading", name="Rejected").wait_for()
    assert app.store.plan_status(plan.id) == "rejected"


def test_without_scripts_everything_works(app: App, open_page: Open, made: Plan) -> None:
    page = open_page(made.id, java_script_enabled=False)
    assert page.locator("ins.line").first.is_visible()
    page.get_by_role("button", name="Approve exactly this plan").click()
    page.get_by_text("It waits to be applied").wait_for()
    app.applier.apply_plan(made.id)
    page.get_by_text("everything went as planned").wait_for()  # the page loads anew by itself


def test_the_keyboard_alone_is_enough(app: App, open_page: Open) -> None:
    plan = keep_site(app)
    page = open_page(plan.id)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the changes"
    reached = []
    for _ in range(80):
        page.keyboard.press("Tab")
        outline, what = page.evaluate(
            """() => { const at = document.activeElement;
            const seen = at.matches('input[type=radio]') ? at.nextElementSibling : at;
            return [getComputedStyle(seen).outlineStyle, at.id || at.textContent.trim()]; }"""
        )
        assert outline == "solid", f"the focus is not seen on {what}"
        reached.append(what)
        if what == "hosts":
            page.keyboard.type("web")
        if what.startswith("Approve"):
            break
    assert {"view-split", "hosts", "comment"} <= set(reached)
    page.keyboard.press("Enter")
    page.get_by_text("It waits to be applied").wait_for()
    assert app.approver.current(plan.id) is not None


@pytest.mark.parametrize(("width", "height"), [(320, 256), (390, 844), (1280, 900)], ids=["400 %", "phone", "desktop"])
def test_nothing_has_to_be_scrolled_sideways(
    app: App, open_page: Open, width: int, height: int, screenshots: Path
) -> None:
    page = open_page(keep_site(app).id, viewport={"width": width, "height": height})
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(overflow) <= 0
    page.screenshot(path=screenshots / f"width-{width}.png")
    page.goto(page.url + "diff/1/1")
    assert page.evaluate(overflow) <= 0


def test_both_ways_of_showing_a_diff(app: App, open_page: Open) -> None:
    page = open_page(keep_site(app).id)
    lines = page.locator(".group").first.locator(".block").first.locator(".line")
    old, new = lines.nth(0).bounding_box(), lines.nth(1).bounding_box()
    assert old["y"] == new["y"]
    assert old["x"] + old["width"] <= new["x"] + 1
    page.get_by_text("Unified").click()
    shown = page.locator(".group").first.locator(".block").first
    ys = {kind: [item.bounding_box()["y"] for item in shown.locator(f"{kind}.line").all()] for kind in ("del", "ins")}
    assert max(ys["del"]) < min(ys["ins"])


def test_200_hosts_and_10000_lines_do_not_freeze_it(app: App, open_page: Open, screenshots: Path) -> None:
    plan = keep_large(app)
    started = time.monotonic()
    page = open_page(plan.id)
    page.get_by_role("heading", name="Your decision").wait_for()
    loaded = time.monotonic() - started
    started = time.monotonic()
    page.get_by_text("Unified").click()
    last = page.locator("details.group").last
    last.locator("summary").first.click()
    last.get_by_text("Diff", exact=False).first.click()
    page.get_by_role("link", name="more lines of this diff").first.click()
    page.get_by_text("Page 1 of 10").wait_for()
    page.get_by_role("link", name="Next").click()
    page.get_by_text("key1500 = value 1500").first.wait_for()
    acted = time.monotonic() - started
    print(f"\nloaded in {loaded:.1f} s; toggled, unfolded, two pages of the long diff in {acted:.1f} s")
    assert loaded < 20
    assert acted < 20


@pytest.fixture
def elsewhere() -> Iterator[Callable[[str], str]]:
    """A function from HTML to its address on another port of this machine: another local user's page, say."""
    pages: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(pages[-1].encode())
            cookies.append(self.headers.get("Cookie", ""))

        def log_message(self, *_: Any) -> None:
            pass

    cookies: list[str] = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def serve(html: str) -> str:
        pages.append(html)
        return f"http://localhost:{server.server_address[1]}/"

    yield serve
    server.shutdown()
    server.server_close()
    assert not [cookie for cookie in cookies if "intendant" in cookie], "cookies go to no other port"


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_a_form_on_another_page_is_worth_nothing(
    app: App, chromium: Any, server: ReviewServer, made: Plan, elsewhere: Callable[[str], str], verdict: str
) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(server.invite(made.id))
    home = page.url
    csrf = page.locator("[name=csrf]").get_attribute("value")  # even when it had leaked
    fields = {"csrf": csrf, "digest": made.digest, "verdict": verdict}
    inputs = "".join(f'<input name="{name}" value="{value}">' for name, value in fields.items())
    page.goto(elsewhere(f'<form method="post" action="{home}answer">{inputs}<button>Win</button></form>'))
    page.get_by_text("Win").click()
    page.get_by_role("heading").wait_for()
    assert "Not answered" in page.content() or "No entry" in page.content()
    assert app.approver.current(made.id) is None
    assert app.store.plan_status(made.id) == "pending"
    context.close()


def test_the_page_is_shown_in_no_frame(
    chromium: Any, server: ReviewServer, made: Plan, elsewhere: Callable[[str], str]
) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(server.invite(made.id))
    home = page.url
    refusals: list[str] = []
    page.on("console", lambda said: refusals.append(said.text))
    page.goto(elsewhere(f'<iframe src="{home}"></iframe>'))
    page.wait_for_timeout(500)
    assert [text for text in refusals if "frame" in text.lower()]
    assert not [frame for frame in page.frames[1:] if frame.url == home and made.id in frame.content()]
    context.close()


def test_a_link_on_another_page_opens_it(
    chromium: Any, server: ReviewServer, made: Plan, elsewhere: Callable[[str], str]
) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(elsewhere(f'<a href="{server.invite(made.id)}">open</a>').replace("localhost", "127.0.0.1"))
    page.get_by_text("open").click()
    page.get_by_role("heading", name="Your decision").wait_for()
    context.close()
