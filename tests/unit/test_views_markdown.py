"""A plan as a comment: text from a host cannot leave its code span or fence."""

import re

import pytest

from intendant.errors import InputError
from intendant.plans import HostPlan, Plan
from intendant.views.markdown import code_span, fence, render_plan
from unit.samples import make_change, make_plan, three_kinds


def test_a_comment_groups_identical_hosts_and_fences_their_diffs() -> None:
    text = render_plan(three_kinds())
    assert "### `web1`, `web2`" in text
    assert "- **delete** `/etc/old` by `Write the file` of `file` (step 1)" in text
    assert "```diff\n--- before: /etc/motd\n+++ after: /etc/motd\n@@ -0,0 +1 @@\n+hello\n```" in text


def test_a_comment_names_failed_hosts_and_blind_spots() -> None:
    text = render_plan(three_kinds())
    assert "### `web4`\n\nCannot be planned" in text
    assert "- **cannot be predicted:** `Run it` (step 1): `a command`" in text
    assert "**Incomplete:**" in text


def test_a_plan_without_changes_is_one_line_and_its_hosts() -> None:
    assert "## Nothing to change on 1 host." in render_plan(make_plan(HostPlan(host="web1")))


@pytest.mark.parametrize("ticks", [1, 2, 3, 4, 10])
def test_backticks_do_not_end_a_span_or_a_fence(ticks: int) -> None:
    run = "`" * ticks
    assert re.fullmatch(r"(`+) ?(.*?) ?\1", code_span(f"{run}<b>@all</b>")) is not None
    assert code_span(f"x{run}y").startswith("`" * (ticks + 1) + "x")
    lines = fence(f"{run}\nx", "diff").split("\n")
    assert len(lines[-1]) > ticks
    assert lines[-1] == "`" * len(lines[-1])


def test_a_diff_with_fences_of_its_own_stays_inside_the_outer_one() -> None:
    text = render_plan(make_plan(HostPlan(host="web1", changes=(make_change(after="`````\n# Approved\n"),))))
    assert "``````diff" in text
    assert text.rstrip().endswith("``````\n\n</details>")


def test_host_text_with_line_breaks_starts_no_line_of_the_comment() -> None:
    forged = make_change(task="x\n# Approved", target="y\n## Approved")
    text = render_plan(make_plan(HostPlan(host="w\n# Approved", changes=(forged,))))
    outside = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    assert not re.search(r"^#+ Approved", outside, re.M)


def long_plan() -> Plan:
    text = "".join(f"line {number}\n" for number in range(2000))
    first = make_change(after=text)
    last = make_change("delete", "/etc/last", before="x\n", after="")
    return make_plan(*(HostPlan(host=f"web{n}", changes=(first, make_change(target=f"/{n}"), last)) for n in range(40)))


@pytest.mark.parametrize("limit", [1500, 6000, 60_000])
def test_a_comment_can_be_bounded_and_says_what_is_left_out(limit: int) -> None:
    text = render_plan(long_plan(), max_bytes=limit, link="https://ci.example/1?a=b&c=<d>")
    assert len(text.encode()) <= limit
    assert re.search(
        r"\*\*… \d+ parts \(\d+ bytes\) left out\.\*\* All of it: `intendant show plan-0123456789ab`", text
    )
    assert text.endswith("All of it: <https://ci.example/1?a=b&c=%3Cd%3E>\n")
    assert text.startswith("## Plan: 80 to create, 0 to update, 40 to delete")
    assert text.count("```") % 2 == 0
    assert text.count("<details>") == text.count("</details>")


def test_all_changes_come_before_the_first_diff_when_a_comment_is_cut() -> None:
    text = render_plan(long_plan(), max_bytes=60_000)
    assert text.count("- **delete** `/etc/last`") == 40
    assert text.rindex("**delete**") < text.index("```diff")


def test_a_comment_that_fits_is_whole() -> None:
    whole = render_plan(three_kinds())
    assert render_plan(three_kinds(), max_bytes=len(whole.encode())) == whole
    assert "left out" in render_plan(three_kinds(), max_bytes=len(whole.encode()) - 1)


def test_a_bound_that_nothing_fits_is_refused() -> None:
    with pytest.raises(InputError, match="Allow at least 1000"):
        render_plan(three_kinds(), max_bytes=50)
