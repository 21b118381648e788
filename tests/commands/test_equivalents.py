"""Which commands an intent does as well, and with which steps; anything that is not known word by word has none."""

import re
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.labelled import read_labels, rules
from intendant.catalog import Catalog
from intendant.equivalents.entries import Entries, load_entries
from intendant.equivalents.finding import Equivalent, find_equivalent
from intendant.errors import ProjectError
from intendant.intents import Step
from intendant.shell.classifying import classify

DATA: Mapping[str, Any] = yaml.safe_load(Path(__file__).with_name("equivalents.yml").read_text())
SAME = DATA["same"]
NONE = [(why, command) for why, commands in DATA["none"].items() for command in commands]
ROLES = Path(__file__).parents[2] / "roles"
PIECES = [
    *'sudo apt-get install -y nginx && ; | > >> /etc/x echo systemctl restart rm -f $X * \\ " # tee'.split(),
    "'a b'",
]


@cache
def catalog() -> Catalog:
    return Catalog([ROLES])


@cache
def entries() -> Entries:
    return load_entries()


def find(command: str, *, root: bool = True) -> Equivalent | None:
    return find_equivalent(command, entries(), root=root)


@pytest.mark.parametrize("example", SAME, ids=lambda example: example["command"][:60])
def test_a_command_has_its_steps_and_they_fit_the_roles(example: dict[str, Any]) -> None:
    found = find(example["command"])
    assert found is not None
    expected = [Step(intent=name, params=params) for step in example["steps"] for name, params in step.items()]
    assert list(found.steps) == expected
    catalog().validate_steps(found.steps, lambda _: False)
    assert classify(example["command"], rules()).kind in ("change", "destructive", "unknown")


@pytest.mark.parametrize("example", SAME, ids=lambda example: example["command"][:60])
def test_a_command_needs_the_entries_that_are_named(example: dict[str, Any]) -> None:
    for name in example["entries"].split():
        others = {other: entry for other, entry in entries().entries.items() if other != name}
        without = entries().model_copy(update={"entries": others})
        assert find_equivalent(example["command"], without, root=True) is None, name


def test_every_entry_and_every_option_that_sets_something_has_an_example() -> None:
    named = {name for example in SAME for name in example["entries"].split()}
    assert named == set(entries().entries)
    assert len(named) >= 35
    for name, entry in entries().entries.items():
        texts = [example["command"] for example in SAME if name in example["entries"].split()]
        sets = [option for option in entry.all_options if option.params]
        bare = [option.names for option in sets if not is_given(option.names, texts)]
        assert bare == [], name


def is_given(names: tuple[str, ...], texts: list[str]) -> bool:
    words = [word.partition("=")[0] for text in texts for word in text.split()]
    letters = {letter for word in words if word[:1] == "-" and word[:2] != "--" for letter in word[1:]}
    return any(name in words or (len(name) == 2 and name[1] in letters) for name in names)


@pytest.mark.parametrize(("why", "command"), NONE, ids=lambda value: value[:60])
def test_a_command_that_is_not_quite_the_same_has_none(why: str, command: str) -> None:
    assert find(command) is None, why


def test_there_are_enough_of_those() -> None:
    assert len({command for _, command in NONE}) == len(NONE) >= 200


@pytest.mark.parametrize("command", DATA["root"])
def test_what_belongs_to_who_runs_it_is_only_the_same_as_root(command: str) -> None:
    assert find(command) is not None
    assert find(command, root=False) is None


def test_sudo_makes_it_root() -> None:
    for command in ("sudo mkdir /srv/app", "echo x | sudo tee /srv/x", "sudo -n ln -s /srv/a /srv/b"):
        assert find(command, root=False) is not None, command


def test_what_only_reads_or_hides_something_has_none() -> None:
    labels = [label for label in read_labels() if label.kind == "read" or label.origin in ("hiding", "syntax")]
    assert len(labels) > 900
    assert [label.command for label in labels if find(label.command)] == []


@given(st.lists(st.sampled_from(PIECES), max_size=12), st.sampled_from([" ", "", "\n"]))
@settings(max_examples=1500, deadline=None, derandomize=True)
def test_whatever_is_put_together_what_has_steps_is_no_read_and_holds_nothing_unknown(
    pieces: list[str], between: str
) -> None:
    command = between.join(pieces)
    if (found := find(command)) is not None:
        assert not {"$X", "*", '"', "\\"} & set(pieces) or "'" in command
        assert classify(command, rules()).kind != "read"
        catalog().validate_steps(found.steps, lambda _: False)


@given(st.text(max_size=60), st.sampled_from(SAME))
@settings(max_examples=600, deadline=None, derandomize=True)
def test_any_text_behind_a_command_raises_nothing(text: str, example: dict[str, Any]) -> None:
    find(f"{example['command']} {text}")
    find(text)


def test_the_longest_command_is_answered_soon_and_many_steps_are_none() -> None:
    assert find("rm " + " ".join(f"/srv/{number}" for number in range(1500))) is None
    assert find("echo " + "a" * 9_900 + " > /etc/x") is not None
    assert find("sed -i 's/^" + "a" * 4_000 + "=.*/" + "a" * 4_000 + "=b/' /etc/x") is not None
    assert find("mkdir " + "/a" * 4_000) is not None


@pytest.mark.parametrize(
    "piece", ["a", "a.", "a-", "/a", "a/", "a:", "1.", "a=", "a ", ",a", "s/^a", "+", "::", "a=.*"]
)
def test_no_slot_takes_long_over_a_long_word(piece: str) -> None:
    started = time.perf_counter()
    for slot in entries().slots.values():
        for text in (piece * 5_000, f"{piece * 5_000}!", f"s/^{piece * 3_000}.*/{piece * 3_000}\\"):
            re.fullmatch(slot.pattern, text)
    assert time.perf_counter() - started < 10


def test_a_description_is_one_bounded_line() -> None:
    found = find("echo 'a\nb' > /etc/x; apt-get install -y nginx curl")
    assert found is not None
    assert found.describe() == (
        'file file_path=/etc/x file_content="a\\nb\\n"; packages packages_names=[nginx, curl] packages_state=latest'
    )
    long = find(f"echo {'a' * 5_000} > /etc/x")
    assert long is not None
    assert len(long.describe()) <= 501


ENTRY = "{command: x SLOT, intent: file, params: {file_path: '{SLOT}'}}"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[", "no valid YAML"),
        ("{}", "slots"),
        ("{slots: {SLOT: '('}, entries: {}}", "slots.SLOT: Value error, pattern: '('"),
        ("{slots: {SLOT: x, LOST: x}, entries: {a: " + ENTRY + "}}", "nothing uses LOST"),
        ("{slots: {}, entries: {a: " + ENTRY + "}}", "a: there is no slot SLOT"),
        ("{slots: {SLOT: x}, entries: {a: {command: x SLOT, intent: b, parms: {}}}}", "entries.a.parms: Extra"),
        ("{slots: {SLOT: x}, entries: {a: {command: x SLOT}}}", "give either intent or before"),
        ("{slots: {SLOT: x}, entries: {a: {command: x SLOT SLOT, intent: b}}}", "stands at two places"),
        ("{slots: {SLOT: x}, entries: {a: {command: x SLOT... SLOT..., intent: b}}}", "only one slot"),
        ("{slots: {SLOT: x}, entries: {a: {command: x SLOT, each: SLOT, intent: b}}}", "each must be that one"),
        (
            "{slots: {SLOT: x}, entries: {a: {command: x SLOT, needs: -z, intent: b}}}",
            "not the first name of an option",
        ),
        ("{slots: {SLOT: x}, entries: {a: {command: x SLOT, intent: b, params: {c: ['{Z}']}}}}", "nothing gives Z"),
        (
            "{slots: {SLOT: x}, entries: {a: {command: x, options: {-s SLOT: {}}, intent: b, params: {c: '{SLOT}'}}}}",
            "nothing gives SLOT",
        ),
        ("{slots: {SLOT: x}, entries: {a: {command: x SLOT, options: {y: {}}, intent: b}}}", "'y' is no option"),
        ("{slots: {SLOT: x}, entries: {a: {command: x SLOT, options: {-y: {}, -z -y: {}}, intent: b}}}", "twice: -y"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "entries.yml"
    path.write_text(text)
    with pytest.raises(ProjectError) as caught:
        load_entries(path)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"gone\.yml: cannot be read"):
        load_entries(tmp_path / "gone.yml")
