"""What of an edit is shown: everything that comes, and of what others wrote the names."""

import difflib
from pathlib import Path

import pytest

from intendant.edits import Edit, HostKey, show_change
from intendant.errors import ProjectError
from intendant.hostsfile import add_host, edit_host, remove_host
from intendant.intents import Step
from intendant.textfiles import FileChange

TEXT = """\
all:
  vars:
    dsn: u-hunter2-x  # hunter2 again
  hosts:
    db1:
      ansible_host: 192.0.2.9
      dsn: u-hunter2-x
      words:
        - hunter2
      script: |
        hunter2: now
        # hunter2
      long: "one
        hunter2: two"
      vault: !vault |
        $ANSIBLE_VAULT;1.1;AES256
        68756e74657232
"""


def diff_of(before: str, after: str) -> str:
    old, new = show_change(FileChange(path=Path("hosts.yml"), before=before, after=after))
    return "\n".join(difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=99))


@pytest.mark.parametrize(
    "after",
    [
        add_host(TEXT, "web1", {"ansible_host": "192.0.2.1", "tier": "gold"}),
        edit_host(TEXT, "db1", {"tier": "gold"}),
        edit_host(TEXT, "db1", {"dsn": "gold"}),
        edit_host(TEXT, "db1", {"tier": "gold", "dsn": None}),
        edit_host(TEXT, "db1", {"tier": "gold"}, join=["db"], leave=[]),
    ],
)
def test_values_that_were_there_are_hidden_and_new_ones_are_shown(after: str) -> None:
    shown = diff_of(TEXT, after)
    for secret in ("hunter2", "68756e74657232", "ANSIBLE_VAULT"):
        assert secret not in shown
    assert ": gold" in shown
    assert "dsn: (not shown)" in shown
    assert "ansible_host: 192.0.2.9" in shown


def test_what_is_removed_is_named_but_its_values_are_not_shown() -> None:
    shown = diff_of(TEXT, remove_host(TEXT, "db1"))
    assert "-    db1:" in shown
    assert "-      dsn: (not shown)" in shown
    assert "hunter2" not in shown


def test_what_cannot_be_told_apart_is_refused() -> None:
    text = 'db: {hosts: {db1: {dsn: "hunter2"}}}\n'
    with pytest.raises(ProjectError, match="on a terminal"):
        diff_of(text, add_host(text, "db2", {"tier": "gold"}, "db"))
    with pytest.raises(ProjectError, match="on a terminal"):
        diff_of('{"all": {"hosts": {"a": {"dsn": "x"}}}}\n', '{"all": {"hosts": {"a": {"dsn": "x"}, "b": {}}}}\n')
    harmless = "all: {hosts: {a: {ansible_host: 192.0.2.9}}}\n"
    assert "tier: gold" in diff_of(harmless, edit_host(harmless, "a", {"tier": "gold"}))


def test_other_keys_are_not_shown() -> None:
    before = "secret.example.org ssh-ed25519 AAAA\n"
    for line in ("192.0.2.1 ssh-ed25519 AAAAC3Nz+/=", "[192.0.2.1]:2222 ssh-ed25519 BB", "[2001:db8::1]:22 ssh-rsa x"):
        change = FileChange(path=Path("known_hosts"), before=before, after=f"{before}{line}\n")
        assert show_change(change) == ("(not shown)\n", f"(not shown)\n{line}\n")


def test_a_person_is_told_what_to_compare() -> None:
    step = Step(intent="add_host", params={"name": "web1"})
    key = HostKey(fingerprint="ED25519 SHA256:x", place="192.0.2.1 port 22 through gate", is_new=True)
    says = Edit(step=step, groups=(), files=(), key=key).say_to_confirm()
    for part in (
        "192.0.2.1 port 22 through gate",
        "ED25519 SHA256:x",
        "not known yet",
        "web1",
        "ssh_host_ed25519_key.pub",
    ):
        assert part in says
    known = key.model_copy(update={"is_new": False})
    assert "knows already" in Edit(step=step, groups=(), files=(), key=known).say_to_confirm()
    assert "Intendant runs on" in Edit(step=step, groups=(), files=(), is_own_machine=True).say_to_confirm()
    assert Edit(step=step, groups=(), files=()).say_to_confirm() == ""
