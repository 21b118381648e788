"""Every labelled command has the class that a person gave it, and the reason says what it is about."""

from collections import Counter

import pytest

from commands.labelled import Label, bash_accepts, read_labels, rules
from intendant.shell.classifying import classify


@pytest.mark.parametrize("label", read_labels(), ids=lambda label: f"{label.origin}: {label.command[:60]!r}")
def test_a_command_has_its_class_and_the_reason_names_the_culprit(label: Label) -> None:
    verdict = classify(label.command, rules())
    assert verdict.kind == label.kind, f"{verdict.reason} ({label.why})"
    assert label.names.lower() in verdict.reason.lower()
    assert verdict.reason.endswith(".")


def test_there_are_enough_labels_and_each_is_there_once() -> None:
    labels = read_labels()
    assert not [command for command, count in Counter(label.command for label in labels).items() if count > 1]
    kinds = Counter(label.kind for label in labels)
    assert sum(kinds.values()) >= 400
    # Half of them and more are what must not run.
    assert kinds["read"] * 2 < sum(kinds.values())
    assert not [label.command for label in labels if label.kind != "read" and not label.names]


def test_what_is_a_read_is_correct_bash() -> None:
    reads = [label.command for label in read_labels() if classify(label.command, rules()).kind == "read"]
    assert [command for command in reads if not bash_accepts(command)] == []
