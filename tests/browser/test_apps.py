"""The view of a plan as clients that render apps show it: in a sandboxed frame that is told everything by messages."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from browser.apphost import HOST, HOST_CSP, HOST_PAGE, View, call
from browser.conftest import SIZES
from browser.plans import keep, keep_large, keep_site
from intendant.app import App
from intendant.plans import BlindSpot, HostPlan
from unit.samples import make_change, make_plan

pytestmark = pytest.mark.browser
LOOKS = [(size, theme) for size in ("desktop", "phone") for theme in ("light", "dark")]
HOSTILE = "<img src=x onerror=alert(1)></code><script>alert(2)</script>\u202e\x1b[31m"
SPELLED = "<img src=x onerror=alert(1)></code><script>alert(2)</script>\\u202e\\x1b[31m"


@pytest.fixture
def open_view(chromium: Any) -> Iterator[Callable[..., View]]:
    """A function that opens the view in a host; afterwards nothing may have gone wrong or been asked for."""
    contexts, problems, asked, views = [], [], [], []

    def answer(route: Any) -> None:
        asked.append(route.request.url)
        headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": HOST_CSP}
        route.fulfill(body=HOST_PAGE, headers=headers)

    def refuse(dialog: Any) -> None:
        problems.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def open_it(html: str, size: str = "desktop", theme: str = "light", told: str | None = None) -> View:
        """``theme`` is the system's, ``told`` the host's."""
        context = chromium.new_context(viewport=SIZES[size], color_scheme=theme)
        context.set_default_timeout(20_000)
        contexts.append(context)
        context.route("**/*", answer)
        context.add_init_script(f"window.context = {json.dumps({'theme': told} if told else {})}")
        page = context.new_page()
        page.on("console", lambda it: problems.append(it.text) if it.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("dialog", refuse)
        page.goto(HOST)
        views.append(View(page, html))
        return views[-1]

    yield open_it
    methods = {message.get("method") for view in views for message in view.said}
    for context in contexts:
        context.close()
    assert problems == []
    assert asked == [HOST] * len(contexts), "the view asked for something"
    assert methods <= {"ui/initialize", "ui/notifications/initialized", "ui/notifications/size-changed", None}


Open = Callable[..., View]


@pytest.mark.parametrize(("size", "theme"), LOOKS)
def test_a_plan_is_shown_whole_accessible_and_as_its_pictures(
    app: App, open_view: Open, axe: Callable[[Any], list[str]], screenshots: Path, size: str, theme: str
) -> None:
    plan = keep_site(app)
    html, sent = call(app, ("get_plan", {"plan_id": plan.id}))
    view = open_view(html["html"], size, theme)
    view.send(sent)
    said = view.text
    for part in (plan.id, plan.digest[:16], "12 hosts: web1, web2", "web20", "Migrate the database"):
        assert part in said
    assert "It deletes 12 things" in said
    assert "Not predicted: Migrate the database: a command cannot be predicted" in said
    assert "No route to host" in said
    assert f"intendant review --web {plan.id}" in said
    assert "Nothing can be approved here" in said
    assert view.frame.get_by_text("5 unchanged lines").first.is_visible()
    assert view.frame.locator("ins.line").count() > 5
    assert view.frame.locator("del.line").count() > 3
    assert view.frame.locator(".group.destructive").count() == 1
    assert view.frame.locator("button, a, input, form, img, iframe").count() == 0
    assert axe(view.frame) == []
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert view.frame.evaluate(overflow) <= 0
    assert view.page.evaluate("frame.clientHeight") >= view.frame.evaluate("document.documentElement.scrollHeight")
    view.picture(screenshots / f"app-{size}-{theme}.png")


@pytest.mark.parametrize(("system", "told", "dark"), [("light", "dark", True), ("dark", "light", False)])
def test_the_host_s_theme_goes_before_the_system_s(
    app: App, open_view: Open, axe: Callable[[Any], list[str]], system: str, told: str, dark: bool
) -> None:
    html, sent = call(app, ("get_plan", {"plan_id": keep_site(app).id}))
    view = open_view(html["html"], theme=system, told=told)
    view.send(sent)
    is_dark = "getComputedStyle(document.body).backgroundColor === 'rgb(15, 19, 25)'"
    assert view.frame.evaluate(is_dark) is dark
    assert axe(view.frame) == []
    view.tell("host-context-changed", {"theme": system})
    view.frame.locator(f"html[data-theme={system}]").wait_for()
    assert view.frame.evaluate(is_dark) is not dark


def test_from_words_to_the_view(
    app: App, open_view: Open, note: Path, axe: Callable[[Any], list[str]], screenshots: Path
) -> None:
    html, plan, question, error = call(
        app,
        ("plan_changes", {"hosts": "here", "request": f"write the note hello to {note}"}),
        ("plan_changes", {"request": "write a note"}),
        ("get_plan", {"plan_id": "plan-0"}),
    )
    view = open_view(html["html"])
    view.send(plan)
    assert "write the note hello" in view.frame.locator("h1").inner_text()
    assert [line.inner_text().split() for line in view.frame.locator("ins.line").all()] == [["1", "+", "hello"]]
    view.picture(screenshots / "app-small.png")
    view = open_view(html["html"])
    view.send(question)
    structured = question["result"]["structuredContent"]
    assert structured["question"] in view.text
    assert structured["candidates"][0]["title"] in view.text
    assert "Nothing was planned" in view.text
    assert axe(view.frame) == []
    view.picture(screenshots / "app-question.png")
    view = open_view(html["html"])
    view.send(error)
    assert "no plan 'plan-0'" in view.text


def test_what_hosts_wrote_stays_text_and_hides_nothing(app: App, open_view: Open) -> None:
    change = make_change("update", HOSTILE, role=HOSTILE, task=HOSTILE, before=f"{HOSTILE}\n", after=f"{HOSTILE}!\n")
    spot = BlindSpot(step=1, task=HOSTILE, reason=HOSTILE)
    hosts = (HostPlan(host=HOSTILE, changes=(change,), blind_spots=(spot,)), HostPlan(host="b", error=HOSTILE))
    plan = keep(app, make_plan(*hosts, id="plan-hostile", pattern=HOSTILE, approval_reason=HOSTILE))
    html, sent = call(app, ("get_plan", {"plan_id": plan.id}))
    view = open_view(html["html"])
    sent["arguments"] = {"request": HOSTILE, "plan_id": plan.id}
    view.send(sent)
    for place in (
        "h1",
        "h3",
        ".target",
        ".by",
        "del.line code",
        "ins.line code",
        "p.alert.warn",
        "pre.alert",
        ".card p",
    ):
        assert any(SPELLED in text for text in view.frame.locator(place).all_inner_texts()), place
    assert not {"\u202e", "\x1b"} & set(view.text)
    assert view.frame.locator("img").count() == 0
    assert view.frame.locator("script").count() == 1
    assert view.frame.locator(".spelled").count() > 15


def test_a_line_that_looks_like_another_sign_keeps_its_own(app: App, open_view: Open) -> None:
    before, after = "-- a\n++ b\n@@ -1 +1 @@\nend", "-- c\n++ d\n@@ -9 +9 @@\nend\n"
    plan = keep(
        app, make_plan(HostPlan(host="a", changes=(make_change("update", before=before, after=after),)), id="plan-1")
    )
    html, sent, whole = call(
        app, ("get_plan", {"plan_id": plan.id}), ("get_plan", {"plan_id": plan.id, "detail": "full"})
    )
    for result in (sent, whole):
        view = open_view(html["html"])
        view.send(result)
        lines = {
            tag: [it.inner_text() for it in view.frame.locator(f"{tag}.line code").all()] for tag in ("del", "ins")
        }
        assert lines == {"del": before.split("\n"), "ins": after.split("\n")[:-1]}
        numbers = [it.inner_text() for it in view.frame.locator("ins.line .no").all()]
        assert numbers == ["1", "2", "3", "4"]
        assert "No newline at end of file" in view.text


def test_a_large_plan_stays_responsive_and_says_what_is_not_shown(app: App, open_view: Open) -> None:
    plan = keep_large(app)
    html, first = call(app, ("get_plan", {"plan_id": plan.id}))
    cursor = first["result"]["structuredContent"]["next_cursor"]
    _, short, begin, later, part, rest = call(
        app,
        ("get_plan", {"plan_id": plan.id, "host": "long"}),
        ("get_plan", {"plan_id": plan.id, "host": "long", "detail": "full"}),
        ("get_plan", {"plan_id": plan.id, "cursor": cursor}),
        ("get_plan", {"plan_id": plan.id, "host": "long", "detail": "full", "cursor": "1"}),
        ("get_plan", {"plan_id": plan.id, "host": "long", "detail": "full", "cursor": "1.5001"}),
    )
    view = open_view(html["html"])
    view.send(first)
    assert f"ask for the page at cursor {cursor}" in view.text
    # The last group of the page may go on, and only that one says so.
    assert view.text.count("as far as this page goes") == 1
    assert f"intendant show {plan.id}" in view.text
    for sent, says in (
        (short, "Shortened."),
        (begin, "More."),  # only the host: the change does not fit
        (later, "A later page."),
        (part, "Only long is shown"),
        (rest, "goes on from the page before"),
    ):
        view = open_view(html["html"])
        view.send(sent)
        assert says in view.frame.locator("body").text_content()
        assert "as far as this page goes" in view.text or sent is short
        assert "nothing to change" not in view.text
        assert ("(a part)" in view.text) is (sent not in (begin, later))
    # The first line of a piece has no sign of its own: it is the rest of a line.
    assert view.frame.locator(".line").first.locator(".sign").text_content() == ""


def test_a_client_that_sends_far_more_than_a_tool_gives_gets_a_bounded_view(app: App, open_view: Open) -> None:
    plan = keep_large(app)
    html, sent = call(app, ("get_plan", {"plan_id": plan.id}))
    change = {**sent["result"]["structuredContent"]["groups"][0]["changes"][0], "action": "delete"}
    lines = "\n".join(f"+key{number} = value {number}" for number in range(10_000))
    long = {**change, "diff": f"@@ -0,0 +1,10000 @@\n{lines}\n+{'x' * 100_000}"}
    groups = [{"hosts": [f"web{number}"], "changes": [change], "blind_spots": []} for number in range(199)]
    groups.append({"hosts": ["long"], "changes": [long], "blind_spots": []})
    sent["result"]["structuredContent"]["groups"] = groups
    view = open_view(html["html"])
    started = time.monotonic()
    view.send(sent)
    view.frame.get_by_text("more lines are not shown here").wait_for()
    view.frame.locator("summary").first.click()
    taken = time.monotonic() - started
    print(f"\n200 hosts and 10,000 lines in {taken:.1f} s")
    assert taken < 20
    assert view.frame.locator(".group").count() == 200
    assert view.frame.locator(".line").count() <= 4_000
    assert "+10001" in view.text


def test_it_answers_its_host_and_nobody_else(app: App, open_view: Open) -> None:
    [html] = call(app)
    view = open_view(html["html"])
    view.page.evaluate("tell({ id: 7, method: 'ping' }); tell({ id: 8, method: 'ui/resource-teardown', params: {} })")
    view.page.evaluate("tell({ id: 9, method: 'tools/call', params: { name: 'constructor' } })")
    view.tell("constructor", {})
    view.wait_for("said.some((it) => it.id === 9)")
    answers = {it["id"]: it for it in view.said if "method" not in it}
    assert answers[7]["result"] == answers[8]["result"] == {}
    assert answers[9]["error"]["code"] == -32601
    # A message that is not of the host, as from a frame inside of the view, counts for nothing.
    view.frame.evaluate("postMessage({ jsonrpc: '2.0', method: 'ui/notifications/tool-cancelled', params: {} }, '*')")
    view.frame.wait_for_timeout(300)
    assert "Waiting for the plan" in view.text
    view.tell("tool-result", {"structuredContent": {"digest": 5, "status": "pending"}, "content": []})
    view.frame.get_by_text("This result cannot be shown").wait_for()
    view.tell("tool-cancelled", {})
    view.frame.get_by_text("The call was cancelled").wait_for()
