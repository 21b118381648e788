"""The rules file: what it must hold, and what is said of one that is broken."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands.labelled import read_labels, rules
from intendant.errors import ProjectError
from intendant.shell.classifying import classify
from intendant.shell.rules import Rule, load_rules

READS = 250


def all_rules() -> Iterator[tuple[str, Rule]]:
    """Programs and subcommands, each with its full name."""
    stack = list(rules().programs.items())
    while stack:
        name, rule = stack.pop()
        yield name, rule
        stack += [(f"{name} {names.split()[0]}", inner) for names, inner in rule.subcommands.items()]


def write_rules(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "rules.yml"
    path.write_text(text)
    return path


def test_the_shipped_rules_cover_what_an_operator_uses() -> None:
    reads = {name for name, rule in rules().programs.items() if rule.kind == "read" and not rule.wraps}
    assert len(reads) >= READS


def test_every_program_of_a_read_label_is_in_the_rules() -> None:
    """So that a label cannot be a read by some other way."""
    for label in read_labels():
        if label.kind == "read":
            reason = classify(label.command, rules()).reason
            names = reason.removeprefix("It only reads: ").removesuffix(".").split(", ")
            assert all(rules().find(name) or name in rules().versions for name in names), label.command


def test_a_program_that_hides_another_is_never_a_read() -> None:
    hiding = [name for name, rule in all_rules() if rule.wraps and rule.wraps.hides and not rule.wraps.between]
    assert len(hiding) > 40
    for name in hiding:
        assert classify(f"{name} x ls", rules()).kind != "read", name


@pytest.mark.parametrize(
    "name",
    "sh bash eval xargs ssh su watch parallel python3 perl ruby node php make curl wget less vim man git nohup".split(),
)
def test_what_can_run_anything_is_never_a_read(name: str) -> None:
    for words in ("", " x", " -c ls", " -e x", " -n", " -- ls", " status"):
        assert classify(f"{name}{words}", rules()).kind != "read", name + words


def test_a_rule_that_needs_an_option_is_no_read_without_it() -> None:
    needing = [(name, rule) for name, rule in all_rules() if rule.kind == "read" and rule.needs]
    assert len(needing) > 20
    for name, rule in needing:
        assert classify(f"{name} x", rules()).kind != "read", name
        assert rule.needs is not None
        if rule.needs.kind == "destructive":
            assert classify(f"{name} x", rules()).kind == "destructive", name


def test_options_that_do_harm_are_harmful_in_every_form() -> None:
    for name, rule in all_rules():
        if rule.kind != "read" or rule.wraps or rule.stops or " " in name:
            continue
        for option, (kind, _) in rule.dangers().items():
            forms = [f"{name} {option}", f"{name} {option} x", f"{name} x {option}", f"{name} {option}x"]
            if option.startswith("--"):
                forms.append(f"{name} {option}=x")
            for text in forms:
                found = classify(text, rules()).kind
                assert found != "read", text
                if kind == "destructive" and text != f"{name} {option}x" and not rule.subcommands:
                    assert found == "destructive", text


def test_an_option_that_nobody_named_is_never_a_read() -> None:
    for name, rule in all_rules():
        if rule.style != "plain" and not rule.stops:
            assert classify(f"{name} --no-such-option", rules()).kind != "read", name
            assert classify(f"{name} x --no-such-option=1", rules()).kind != "read", name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("programs: {ls: {flag: -a}}", "programs.ls.flag: Extra inputs are not permitted"),
        ("programs: {ls: {kind: write}}", "programs.ls.kind: Input should be"),
        ("programs: {rm: {kind: change}}", "programs.rm: Value error, why: say what the program does"),
        ("programs: {ls: {flags: -a b}}", "programs.ls: Value error, options begin with a dash: b"),
        ("programs: {ls: {flags: -a, values: -a}}", "programs.ls: Value error, listed twice: -a"),
        (
            "programs: {ls: {needs: {options: -x, why: y}}}",
            "programs.ls: Value error, needs: not among the options: -x",
        ),
        ("programs: {ls: {needs: {options: -x}}}", "programs.ls.needs.why: Field required"),
        ("programs: {ls: {max: many}}", "programs.ls.max: Input should be a valid integer"),
        ("programs: {ls: {check: perl}}", "programs.ls.check: Input should be"),
        ("programs: {ls: {dynamic: true, change: {-o: writes}}}", "programs.ls: Value error, dynamic:"),
        ("programs: {ip: {subcommands: {a: {kind: bad}}}}", "programs.ip.subcommands.a.kind: Input should be"),
        ("programs: {ls dir: {}, dir: {}}", "programs.dir: is there twice"),
        (
            "programs: {ls: {forbid: {'(': {kind: change, why: x}}}}",
            "programs.ls: Value error, forbid: '(' is no pattern",
        ),
        ("programs: [ls]", "programs: Input should be a valid dictionary"),
        ("[]", "Input should be a valid dictionary"),
        ("programs: {", "is no valid YAML"),
    ],
)
def test_a_broken_rule_is_named_with_its_field(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ProjectError) as caught:
        load_rules(write_rules(tmp_path, text))
    assert message in str(caught.value)
    assert "rules.yml" in str(caught.value)


def test_a_rules_file_that_is_not_there_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="cannot be read"):
        load_rules(tmp_path / "none.yml")


def test_the_wheel_holds_the_rules(repository: Path, tmp_path: Path) -> None:
    import subprocess
    import sys

    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=repository, capture_output=True, check=True)
    (path,) = tmp_path.glob("*.whl")
    assert "intendant/shell/rules.yml" in zipfile.ZipFile(path).namelist()
