"""The plan as a page: complete, bounded, and nothing of a host or a model can be more than text in it."""

import base64
import hashlib
import re
import time

import pytest

from intendant.approvals import Approval
from intendant.intents import Step
from intendant.plans import BlindSpot, HostPlan, Plan
from intendant.runs import HostRun
from intendant.views.html.outline import PAGE_ROWS, outline_plan
from intendant.views.html.pages import Earlier, Form, HtmlViews, PlanPage, find_earlier
from support.html import Document
from unit.samples import AT, make_change, make_deviation, make_plan, make_run, three_kinds

HOSTILE = (
    "</code></p><script>alert(1)</script><img src=//x.invalid/a onerror=alert(2)>\" onclick='x' {{ 7*7 }} {% raw %}"
)
PAGE = ("terminal", "page")


@pytest.fixture(scope="module")
def views() -> HtmlViews:
    return HtmlViews()


def served(views: HtmlViews, page: PlanPage, problem: str = "") -> Document:
    return Document(views.render_plan(page, outline_plan(page.plan, whole=False), Form("token-1"), problem))


def as_file(views: HtmlViews, plan: Plan) -> Document:
    return Document(views.render_file(PlanPage(plan)))


def hostile_plan() -> Plan:
    change = make_change("update", HOSTILE, role=HOSTILE, task=HOSTILE, before="a\n", after=f"{HOSTILE}\n")
    spot = BlindSpot(step=1, task=HOSTILE, reason=HOSTILE)
    return make_plan(
        HostPlan(host=HOSTILE, changes=(change,), blind_spots=(spot,)),
        HostPlan(host="other", error=HOSTILE),
        channels=PAGE,
        request=HOSTILE,
        client=HOSTILE,
        pattern=HOSTILE,
        approval_reason=HOSTILE,
        steps=(Step(intent=HOSTILE, params={HOSTILE: [HOSTILE]}),),
    )


def test_nothing_of_a_host_or_a_model_becomes_an_element(views: HtmlViews) -> None:
    plan = hostile_plan()
    approval = Approval(
        id="a", plan_id=plan.id, digest=plan.digest, who=HOSTILE, channel="page", at=AT, until=AT, comment=HOSTILE
    )
    run = make_run(
        HostRun(host=HOSTILE, status="failed", failed_task=HOSTILE, message=HOSTILE),
        status="failed",
        message=HOSTILE,
        deviations=(make_deviation().model_copy(update={"host": HOSTILE, "detail": HOSTILE}),),
    )
    earlier = (Earlier((HOSTILE,), run, same_steps=False),)
    pages = [
        served(views, PlanPage(plan, earlier=earlier), HOSTILE),
        served(views, PlanPage(plan, "applied", approval, run)),
        as_file(views, plan),
        Document(views.render_diff(plan, 1, 1)),
        Document(views.render_progress(PlanPage(plan, "applied", approval, run))),
        Document(views.render_notice(HOSTILE, HOSTILE)),
    ]
    for page in pages:
        assert not page.find("img")
        assert len(page.find("script")) <= 1
        assert not any("alert" in script for script in page.raw["script"])
        assert not [name for _, found in page.elements for name in found if name.startswith("on") or name == "style"]
        assert "<script>alert(1)</script>" in page.text


def test_nothing_comes_from_elsewhere_and_the_policy_allows_only_what_is_there(views: HtmlViews) -> None:
    source = as_file(views, three_kinds())
    [policy] = source.find("meta", **{"http-equiv": "Content-Security-Policy"})
    assert "default-src 'none'" in policy["content"]
    assert "unsafe" not in policy["content"]
    [style] = source.raw["style"]
    assert f"style-src '{hash_of(style)}'" in policy["content"]
    page = served(views, PlanPage(three_kinds()))
    assert f"style-src '{hash_of(page.raw['style'][0])}'" in views.csp
    assert f"script-src '{hash_of(page.raw['script'][0])}'" in views.csp
    for document in (source, page):
        assert not document.find("link")
        links = [found.get("href", found.get("src", "")) for _, found in document.elements]
        assert not [link for link in links if "//" in link]
        assert "url(" not in document.raw["style"][0]


def hash_of(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_a_file_has_neither_form_nor_script(views: HtmlViews) -> None:
    source = as_file(views, make_plan(HostPlan(host="web1", changes=(make_change(),)), channels=PAGE))
    assert not source.find("form")
    assert not source.find("button")
    assert not source.find("script")


def test_the_page_says_who_asked_what_changes_and_what_is_not_known(views: HtmlViews) -> None:
    plan = three_kinds().model_copy(update={"request": "write the motd", "client": "desk"})
    text = as_file(views, plan).text
    for part in (
        "write the motd",
        "desk",
        "its own name for itself",
        plan.id,
        plan.digest[:16],
        "2 hosts: web1, web2",
        "Destructive. It deletes 2 things",
        "Incomplete. 1 task could not be predicted",
        "step 1, Run it: a command",
        "No prediction for web4",
        "It cannot be reached.\nCheck the address.",
        '"0644"',
    ):
        assert part in text
    assert text.count("/etc/old") == 1


def test_the_form_carries_the_digest_and_wants_the_hosts_of_a_destructive_plan(views: HtmlViews) -> None:
    page = PlanPage(three_kinds().model_copy(update={"approval_channels": PAGE}))
    document = served(views, page)
    [form] = document.find("form")
    assert (form["method"], form["action"]) == ("post", "answer")
    assert document.find("input", name="digest") == [{"type": "hidden", "name": "digest", "value": "d" * 64}]
    assert document.find("input", name="csrf", value="token-1")
    assert document.find("input", name="hosts")
    assert [button["value"] for button in document.find("button")] == ["approve", "reject"]
    harmless = make_plan(HostPlan(host="web1", changes=(make_change(),)), channels=PAGE)
    assert not served(views, PlanPage(harmless)).find("input", name="hosts")


@pytest.mark.parametrize(
    ("page", "says"),
    [
        (PlanPage(make_plan(HostPlan(host="web1", changes=(make_change(),)), channels=PAGE), "expired"), "expired"),
        (
            PlanPage(make_plan(HostPlan(host="web1", changes=(make_change(),)), channels=("terminal",))),
            "What will happen",
        ),
        (PlanPage(make_plan(HostPlan(host="web1"), channels=PAGE)), "Nothing to change"),
    ],
)
def test_what_cannot_be_answered_here_has_no_form(views: HtmlViews, page: PlanPage, says: str) -> None:
    document = served(views, page)
    assert not document.find("form")
    assert says in document.text


def test_what_is_invisible_is_spelled_and_looks_unlike_the_same_letters(views: HtmlViews) -> None:
    change = make_change(before="name \\u202e\n", after="name \u202e\n")
    document = as_file(views, make_plan(HostPlan(host="web1", changes=(change,))))
    assert document.text.count("name \\u202e") == 2
    assert "\u202e" not in document.text
    # One in the diff, one in the page's own explanation.
    assert document.classes("spelled") == 2


def test_withheld_and_unreported_contents_are_said_to_be_so(views: HtmlViews) -> None:
    secret = make_change("update", "/etc/app.env", before=None, after=None, sensitive=True)
    unknown = make_change("run", "daemon-reload", before=None, after=None)
    text = as_file(views, make_plan(HostPlan(host="web1", changes=(secret, unknown)))).text
    assert "The content is withheld: it holds a secret." in text
    assert "The module reports no content for this change." in text


def test_a_long_diff_shows_its_ends_and_every_line_is_on_some_page(views: HtmlViews) -> None:
    lines = [f"line {number} of many" for number in range(10_000)]
    change = make_change(before="", after="".join(f"{line}\n" for line in lines))
    plan = make_plan(HostPlan(host="web1", changes=(change,)), channels=PAGE)
    started = time.process_time()
    shown = served(views, PlanPage(plan))
    assert time.process_time() - started < 5
    assert "line 0 of many" in shown.text
    assert "line 9999 of many" in shown.text
    assert "9740 more lines of this diff" in shown.text
    assert shown.find("a", href="diff/1/1")
    pages = "".join(Document(views.render_diff(plan, 1, 1, page)).text for page in range(1, 11))
    assert re.findall(r"line \d+ of many", pages) == lines
    assert re.findall(r"line \d+ of many", as_file(views, plan).text) == lines


def test_200_hosts_that_all_differ_stay_within_bounds(views: HtmlViews) -> None:
    hosts = (
        HostPlan(
            host=f"web{number}",
            changes=tuple(
                make_change(target=f"/etc/file{part}", after=f"{number}\n" + "text\n" * 50) for part in range(4)
            ),
        )
        for number in range(200)
    )
    plan = make_plan(*hosts, channels=PAGE)
    started = time.process_time()
    source = views.render_plan(PlanPage(plan), outline_plan(plan, whole=False), Form("x"))
    assert time.process_time() - started < 10
    document = Document(source)
    assert len(document.find("details", **{"class": "group card"})) == 200
    assert document.classes("line") <= 2 * PAGE_ROWS
    # What the page has no room for is a link away.
    assert document.find("a", href="diff/200/4")
    assert len(source) < 3_000_000
    assert len(views.render_file(PlanPage(plan))) < 15_000_000


def test_many_equal_hosts_are_one_group_and_named_in_full(views: HtmlViews) -> None:
    plan = make_plan(*(HostPlan(host=f"web{n}", changes=(make_change(),)) for n in range(200)))
    document = as_file(views, plan)
    assert document.text.count("/etc/motd") == 2  # the change, and the step's param
    assert "200 hosts: web0, web1, web2, web3 …" in document.text
    assert "web199" in document.text


def test_what_ran_before_is_told_by_its_steps(views: HtmlViews) -> None:
    plan = make_plan(*(HostPlan(host=f"web{n}", changes=(make_change(),)) for n in range(3)))
    same, other, own = (make_run(id=f"run-{name}", plan_id=name) for name in ("same", "other", plan.id))
    steps = {"same": plan.steps, "other": (Step(intent="x", params={}),)}
    found = find_earlier(plan, {"web0": same, "web1": other, "web2": own}, steps)
    assert {(item.hosts, item.run.id, item.same_steps) for item in found} == {
        (("web0",), "run-same", True),
        (("web1",), "run-other", False),
    }
    assert "web1: run run-other succeeded, as planned" in served(views, PlanPage(plan, earlier=found)).text


@pytest.mark.parametrize(
    ("run", "says"),
    [
        (
            make_run(status="running", as_planned=None, tasks_done=2, tasks_expected=9, current_task="Install"),
            "2 of about 9",
        ),
        (make_run(HostRun(host="web1", status="changed")), "everything went as planned"),
        (make_run(as_planned=False, deviations=(make_deviation(),)), "NOT as planned: 1 deviation"),
        (make_run(HostRun(host="web1", status="failed", message="no space"), status="failed"), "no space"),
    ],
)
def test_the_run_is_followed_to_its_verdict(views: HtmlViews, run: object, says: str) -> None:
    plan = make_plan(HostPlan(host="web1", changes=(make_change(),)), channels=PAGE)
    page = PlanPage(plan, "applied", run=run)  # type: ignore[arg-type]
    document = Document(views.render_progress(page))
    assert says in " ".join(document.text.split())
    [section] = document.find("section", id="progress")
    assert section["data-live"] == ("yes" if "about" in says else "no")
