"""JUnit XML and SARIF: what programs read. Their schemas are checked by `make formats`."""

import json
from typing import Any
from xml.etree import ElementTree

import pytest

from intendant.plans import BlindSpot, HostPlan
from intendant.runs import HostRun
from intendant.views import junit, sarif
from unit.samples import make_change, make_deviation, make_plan, make_run, three_kinds


def parse(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text.encode())


def results(text: str) -> list[dict[str, Any]]:
    [run] = json.loads(text)["runs"]
    found: list[dict[str, Any]] = run["results"]
    assert all(run["tool"]["driver"]["rules"][one["ruleIndex"]]["id"] == one["ruleId"] for one in found)
    return found


def test_a_plan_is_a_suite_for_each_host_and_a_case_for_each_step() -> None:
    root = parse(junit.render_plan(three_kinds()))
    counts = {suite.get("name"): (suite.get("tests"), suite.get("failures"), suite.get("skipped")) for suite in root}
    assert counts == {
        "web1": ("1", "0", "0"),
        "web2": ("1", "0", "0"),
        "web3": ("1", "0", "1"),
        "web4": ("1", "1", "0"),
        "web5": ("1", "0", "0"),
    }
    assert {case.get("name") for case in root.iter("testcase")} == {"step 1: file"}
    [failure] = root.iter("failure")
    assert failure.text == "It cannot be reached.\nCheck the address."
    [skipped] = root.iter("skipped")
    assert skipped.text == "cannot be predicted: Run it: a command"
    output = next(root.iter("system-out")).text
    assert output is not None
    assert "delete /etc/old" in output
    assert "+hello" in output


def test_a_run_is_a_case_for_each_host_that_fails_where_it_was_not_as_planned() -> None:
    run = make_run(
        HostRun(host="web1", status="changed", changes=(make_change(),)),
        HostRun(host="web2", status="failed", failed_task="Write it", message="No space left"),
        HostRun(host="web3", status="skipped"),
        status="partial",
        deviations=(make_deviation(),),
    )
    root = parse(junit.render_run(run))
    failures = {suite.get("name"): [one.get("message") for one in suite.iter("failure")] for suite in root}
    assert failures == {"web1": ["not as planned"], "web2": ["failed at: Write it"], "web3": []}
    assert [suite.get("skipped") for suite in root] == ["0", "0", "1"]
    assert [one["ruleId"] for one in results(sarif.render_run(run))] == ["host-failed", "not-as-planned"]


@pytest.mark.parametrize("text", ["\x00\x1b[31m", "]]><x/>&amp;", "\ufffe\uffff", "\ud800", 'a"b\nc'])
def test_what_a_host_says_is_text_and_nothing_else(text: str) -> None:
    change = make_change("delete", text, task=text, before=f"{text}\n", after="")
    plan = make_plan(
        HostPlan(host=f"w{text}", changes=(change,), blind_spots=(BlindSpot(step=1, task=text, reason=text),)),
        HostPlan(host="web2", error=text),
    )
    root = parse(junit.render_plan(plan))
    assert [child.tag for child in root] == ["testsuite", "testsuite"]
    assert not list(root.iter("x"))
    found = results(sarif.render_plan(plan))
    assert [one["ruleId"] for one in found] == ["delete", "blind-spot", "cannot-be-planned"]
    assert all("\x1b" not in one["message"]["text"] and "\n" not in one["message"]["text"] for one in found)


def test_findings_are_what_is_deleted_cannot_be_predicted_or_cannot_be_planned() -> None:
    found = results(sarif.render_plan(three_kinds()))
    assert [(one["ruleId"], one["level"]) for one in found] == [
        ("delete", "warning"),
        ("delete", "warning"),
        ("blind-spot", "warning"),
        ("cannot-be-planned", "error"),
    ]
    places = [one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in found]
    assert places == ["hosts/web1", "hosts/web2", "hosts/web3", "hosts/web4"]
    marks = [one["partialFingerprints"]["intendant/v1"] for one in found]
    assert len(set(marks)) == 4
    assert marks == [one["partialFingerprints"]["intendant/v1"] for one in results(sarif.render_plan(three_kinds()))]


def test_a_plan_without_findings_has_none() -> None:
    assert results(sarif.render_plan(make_plan(HostPlan(host="web1", changes=(make_change(),))))) == []
