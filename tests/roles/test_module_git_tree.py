"""What git_remote reads and git_tree keeps, on repositories on this machine."""

import getpass
import subprocess
from pathlib import Path
from typing import Any

import pytest

from intendant.ansible.modules import git_remote
from roles.running import run_module

NAME = ["-c", "user.name=x", "-c", "user.email=x@example.org"]


def git(folder: Path, *argv: str) -> str:
    command = ["git", "-C", str(folder), *NAME, *argv]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def commit(folder: Path, content: str) -> str:
    (folder / "file").write_text(content)
    git(folder, "add", "file")
    git(folder, "commit", "--quiet", "--message", content)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A repository with one commit on the branch main."""
    folder = tmp_path / "work"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, "one")
    return folder


def bring(work: Path, *, check: bool = False, version: str = "HEAD", **more: Any) -> dict[str, Any]:
    """Resolve the version and bring the tree beside the repository to it."""
    common: dict[str, Any] = {"repository": str(work), "owner": getpass.getuser()}
    found = run_module("git_remote", version=version, **common)
    assert "commit" in found, found
    arguments = {**common, "destination": str(work.parent / "tree"), "commit": found["commit"], "ref": found["ref"]}
    return run_module("git_tree", check=check, **{**arguments, **more})


def test_references_are_read_the_same_without_git() -> None:
    one, two = "1" * 40, "2" * 40
    lines = [f"{one} HEAD\0multi_ack symref=HEAD:refs/heads/main agent=git/2\n", f"{one} refs/heads/main\n"]
    lines += [f"{two} refs/tags/v1\n", f"{one} refs/tags/v1^{{}}\n"]
    packets = ["# service=git-upload-pack\n", "", *lines, ""]
    data = "".join(f"{len(line) + 4:04x}{line}" if line else "0000" for line in packets).encode()
    refs = {"HEAD": one, "refs/heads/main": one, "refs/tags/v1": two, "refs/tags/v1^{}": one}
    assert git_remote.parse_advertisement(data) == (refs, "refs/heads/main")
    table = "ref: refs/heads/main\tHEAD\n" + "".join(f"{value}\t{name}\n" for name, value in refs.items())
    assert git_remote.parse_table(table) == (refs, "refs/heads/main")
    assert git_remote.choose(refs, "refs/heads/main", "HEAD") == (one, "refs/heads/main")
    assert git_remote.choose(refs, "refs/heads/main", "v1") == (one, "refs/tags/v1")
    assert git_remote.choose(refs, "refs/heads/main", "3" * 40) == ("3" * 40, "")
    assert git_remote.choose(refs, "refs/heads/main", "v2") is None


def test_a_moved_branch_is_followed_even_when_its_history_was_rewritten(work: Path) -> None:
    assert bring(work)["changed"]
    assert bring(work)["changed"] is False
    (work / "file").write_text("two")
    git(work, "commit", "--quiet", "--all", "--amend", "--message", "two")
    planned = bring(work, check=True)
    assert planned["diff"] == bring(work)["diff"]
    assert (work.parent / "tree" / "file").read_text() == "two"
    git(work, "tag", "v1")
    commit(work, "three")
    assert "branch: (none, detached)" in bring(work, version="v1")["diff"]["after"]
    assert bring(work, version="v1")["changed"] is False


def test_local_changes_and_commits_stay_unless_forced(work: Path) -> None:
    tree = work.parent / "tree"
    bring(work)
    commit(work, "two")
    (tree / "file").write_text("mine")
    for check in (True, False):
        assert "local changes" in bring(work, check=check)["msg"]
    mine = commit(tree, "mine too")
    assert mine[:7] in bring(work, check=True)["msg"]
    assert git(tree, "rev-parse", "HEAD") == mine
    forced = bring(work, force=True)
    assert "mine too" in forced["diff"]["before"]
    assert (tree / "file").read_text() == "two"


def test_what_would_be_lost_is_not_deleted(work: Path) -> None:
    tree = work.parent / "tree"
    bring(work)
    (tree / ".git" / "info").mkdir(exist_ok=True)
    (tree / ".git" / "info" / "exclude").write_text("secret\n")
    (tree / "secret").write_text("x")
    assert "!! secret" in bring(work, state="absent")["msg"]
    (tree / "secret").unlink()
    assert bring(work, state="absent", check=True)["changed"]
    assert tree.exists()
    assert bring(work, state="absent")["changed"]
    assert not tree.exists()
    assert bring(work, state="absent")["changed"] is False


def test_other_folders_and_repositories_are_left_alone(work: Path) -> None:
    tree = work.parent / "tree"
    tree.mkdir()
    (tree / "mine").write_text("x")
    assert "left alone" in bring(work)["msg"]
    assert "left alone" in bring(work, state="absent", force=True)["msg"]
    (tree / "mine").unlink()
    bring(work)
    assert "is a checkout of" in bring(work, repository="/srv/other")["msg"]
    missing = run_module("git_remote", repository=str(work), owner=getpass.getuser(), version="nothing")
    assert "it has main" in missing["msg"]
