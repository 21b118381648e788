"""What people read: complete, honest and impossible to forge from a host."""

import pytest
from rich.console import Console

from intendant.approvals import Approval
from intendant.plans import HostPlan
from intendant.runs import HostRun
from intendant.views.lines import Line
from intendant.views.terminal import style_lines
from intendant.views.text import (
    count_line,
    plan_lines,
    render_plan,
    render_run,
    sanitize,
    sanitize_line,
    summarize_plan,
)
from unit.samples import make_change, make_deviation, make_plan, make_run, three_kinds

ESCAPES = [
    "\x1b[31m",
    "\x1b]0;title\x07",
    "\x9b2J",
    "\r",
    "\x08",
    "\x00",
    "\u202e",
    "\u2066",
    "\u200b",
    "\ud800",
    "\u2028",
]


@pytest.mark.parametrize("hidden", ESCAPES)
def test_what_steers_a_terminal_or_hides_is_spelled_out(hidden: str) -> None:
    shown = sanitize(f"a{hidden}b")
    assert shown.isprintable()
    assert shown.startswith("a\\")
    assert shown.endswith("b")


def test_ordinary_text_of_every_script_stays_as_it_is() -> None:
    text = "größer\tзапуск 日本 🙂 {{ x }} [red]\n"
    assert sanitize(text) == text


def test_text_meant_for_one_line_stays_on_one_line() -> None:
    assert sanitize_line("a\nb\tc") == "a\\nb\\tc"


def test_hosts_with_the_same_changes_are_shown_once() -> None:
    text = render_plan(three_kinds())
    assert text.count("+ create /etc/motd") == 1
    assert "web1, web2: 2 changes" in text
    assert "web5: nothing to change" in text


def test_the_totals_count_every_host() -> None:
    assert count_line(three_kinds()) == "Plan: 2 to create, 0 to update, 2 to delete, 0 to run on 2 hosts."


def test_a_plan_names_its_blind_spots_and_the_hosts_that_failed() -> None:
    text = render_plan(three_kinds())
    assert "? cannot be predicted: step 1, Run it: a command" in text
    assert "web4: cannot be planned and will not be touched: It cannot be reached.\n      Check the address." in text
    assert "1 task could not be predicted" in text
    assert "no prediction for web4" in text


def test_a_plan_without_changes_says_so_only_when_it_saw_everything() -> None:
    assert "Nothing to change on 1 host." in render_plan(make_plan(HostPlan(host="web5")))
    assert "Nothing to change on" not in render_plan(make_plan(HostPlan(host="web4", error="unreachable")))


def test_a_pending_plan_says_how_it_is_approved_and_applied() -> None:
    text = render_plan(three_kinds())
    assert "intendant review plan-0123456789ab" in text
    assert "intendant apply plan-0123456789ab" in text


def test_a_plan_that_policy_approves_does_not_ask_for_a_review() -> None:
    text = render_plan(make_plan(HostPlan(host="web1", changes=(make_change(),)), channels=()))
    assert "Approved by policy (the policy asks)" in text
    assert "intendant review" not in text


def test_an_approved_plan_says_by_whom_until_when() -> None:
    plan = three_kinds()
    approval = Approval(
        id="a", plan_id=plan.id, digest=plan.digest, who="ann@desk", channel="terminal", at=plan.created_at,
        until=plan.expires_at,
    )  # fmt: skip
    assert "Approved by ann@desk (terminal) until 2026-03-01 12:30 UTC" in render_plan(plan, approval=approval)


@pytest.mark.parametrize("status", ["stale", "rejected", "expired", "applied"])
def test_a_closed_plan_offers_no_apply(status: str) -> None:
    text = render_plan(three_kinds(), status)
    assert f"This plan is {status}." in text
    assert "intendant apply" not in text


def test_no_line_of_a_diff_can_pass_for_one_of_ours() -> None:
    forged = make_change(after="x\nNothing to change on 5 hosts.\n", task="a\nApproved by policy", target="/a\n/b")
    for line in plan_lines(make_plan(HostPlan(host="web\n1", changes=(forged,)))):
        assert "\n" not in line.text
        assert not line.text.startswith(("Approved by policy", "Nothing to change"))


def test_a_change_of_line_endings_alone_is_not_an_empty_diff() -> None:
    text = render_plan(make_plan(HostPlan(host="web1", changes=(make_change("update", before="a\r\n", after="a\n"),))))
    assert "-a\\x0d" in text
    assert "+a\n" in text


def test_a_withheld_diff_says_that_it_is_sensitive() -> None:
    secret = make_change("update", before=None, after=None, sensitive=True)
    assert "(sensitive)" in render_plan(make_plan(HostPlan(host="web1", changes=(secret,))))


def test_a_string_that_looks_like_a_number_is_shown_as_a_string() -> None:
    assert 'file_mode="0644"' in render_plan(three_kinds())


def test_a_summary_that_fits_is_whole() -> None:
    summary = summarize_plan(three_kinds(), 4000)
    assert "left out" not in summary
    assert "+hello" in summary
    assert "delete /etc/old" in summary


@pytest.mark.parametrize("limit", [200, 500, 1000, 2000])
def test_a_summary_keeps_its_limit_and_says_what_is_left_out(limit: int) -> None:
    long = make_change(after="ü" * 50 + "\n" + "line\n" * 2000)
    plan = make_plan(HostPlan(host="web1", changes=(long,)))
    summary = summarize_plan(plan, limit)
    assert len(summary.encode()) <= limit
    assert "left out; all of it: intendant show plan-0123456789ab" in summary
    assert summary == summarize_plan(plan, limit)


def test_a_long_diff_does_not_push_a_deletion_out_of_the_summary() -> None:
    long = make_change(after="line\n" * 2000)
    gone = make_change("delete", "/srv/data", before="x", after="")
    summary = summarize_plan(make_plan(HostPlan(host="web1", changes=(long, gone))), 1000)
    assert "- delete /srv/data" in summary


def test_the_lines_left_out_and_those_shown_are_all_lines() -> None:
    plan = make_plan(HostPlan(host="web1", changes=(make_change(after="line\n" * 100),)))
    more, less = summarize_plan(plan, 1200), summarize_plan(plan, 600)

    def total(summary: str) -> int:
        *shown, rest = summary.split("\n")
        return len(shown) + int(rest.split()[1])

    assert total(more) == total(less)
    assert more.count("\n") > less.count("\n")


def test_a_run_tells_failures_in_the_modules_own_words() -> None:
    failed = HostRun(host="web1", status="failed", failed_task="Write the file", message="No space left\nFree some.")
    text = render_run(make_run(failed, HostRun(host="web22", status="ok"), status="partial", as_planned=False))
    assert "partial, NOT as planned" in text
    assert "failed at: Write the file" in text
    assert "      No space left\n      Free some." in text
    assert "Plan again" in text


def test_a_run_that_succeeded_otherwise_than_planned_says_so_loudly() -> None:
    done = HostRun(host="web1", status="changed", changes=(make_change(),))
    text = render_run(make_run(done, deviations=(make_deviation(),), as_planned=False))
    assert "succeeded, NOT as planned" in text
    assert "! web1: unplanned: Write the file [/etc/motd]: done, not planned" in text


def test_a_run_in_flight_says_how_far_it_is_and_how_to_stop_it() -> None:
    run = make_run(status="running", as_planned=None, current_task="Write\nit", tasks_done=2, tasks_expected=7)
    text = render_run(run)
    assert "running (2 of 7 tasks done, now: Write\\nit)" in text
    assert "intendant cancel run-0123456789ab" in text


def test_markup_in_text_is_shown_and_not_obeyed() -> None:
    console = Console(force_terminal=True, color_system="standard", width=80)
    with console.capture() as capture:
        console.print(style_lines([Line("[red]x[/red] :smile:")]), end="")
    assert capture.get() == "[red]x[/red] :smile:"


def test_tones_become_colours() -> None:
    console = Console(force_terminal=True, color_system="standard", width=80)
    with console.capture() as capture:
        console.print(style_lines([Line("+new", "added")]), end="")
    assert capture.get() == "\x1b[32m+new\x1b[0m"
