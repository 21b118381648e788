"""A plan as a comment: text from a host cannot leave its code span or fence."""

import re

import pytest

from intendant.plans import HostPlan
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
