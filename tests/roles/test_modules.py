"""The modules, run for real where no root is needed."""

import base64
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from roles.running import run_module

Both = Callable[..., dict[str, Any]]
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl test"


@pytest.fixture
def both() -> Both:
    """Runs a module in check mode, for real and again: prediction and change must agree, and then nothing is left."""

    def run(name: str, /, **arguments: Any) -> dict[str, Any]:
        predicted = run_module(name, check=True, **arguments)
        done = run_module(name, **arguments)
        again = run_module(name, check=True, **arguments)
        assert not done.get("failed"), done
        assert (predicted["changed"], predicted["diff"]) == (done["changed"], done["diff"])
        assert not again["changed"], again
        return done

    return run


def write_command(path: Path, text: str) -> dict[str, Any]:
    code = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text(sys.stdin.read())"
    return {
        "probe": ["cat", str(path)],
        "desired": text,
        "command": [sys.executable, "-c", code, str(path)],
        "stdin": text,
    }


def test_converge_predicts_what_it_then_does(both: Both, tmp_path: Path) -> None:
    path = tmp_path / "value"
    done = both("converge", **write_command(path, "wanted"))
    assert done["changed"]
    assert done["diff"]["after"] == "wanted\n"
    assert path.read_text() == "wanted"


def test_converge_in_check_mode_runs_the_probe_only(tmp_path: Path) -> None:
    path = tmp_path / "value"
    path.write_text("old")
    predicted = run_module("converge", check=True, **write_command(path, "new"))
    assert predicted["diff"]["before"] == "old\n"
    assert path.read_text() == "old"


def test_converge_leaves_a_converged_host_alone(tmp_path: Path) -> None:
    path = tmp_path / "value"
    path.write_text("same\n")
    done = run_module("converge", probe=["cat", str(path)], desired="same", command=["false"])
    assert not done["changed"]


def test_converge_fails_when_the_command_changed_nothing() -> None:
    done = run_module("converge", probe=["echo", "old"], desired="new", command=["true"])
    assert done["failed"]
    assert "not converged" in done["msg"]


def test_converge_fails_when_the_command_fails() -> None:
    done = run_module("converge", probe=["false"], command=["sh", "-c", "exit 7"])
    assert done["failed"]
    assert "exit code 7" in done["msg"]


def test_converge_accepts_the_exit_codes_it_is_told(tmp_path: Path) -> None:
    path = tmp_path / "there"
    command = ["sh", "-c", 'touch "$1"; exit 3', "-", str(path)]
    done = run_module("converge", probe=["test", "-e", str(path)], command=command, command_rc=[0, 3])
    assert done["changed"]
    assert not done.get("failed")


def test_converge_expands_and_interprets_nothing(both: Both, tmp_path: Path) -> None:
    text = "$HOME ~ `id` $(id) ; | & * {{ x }} \\n"
    path = tmp_path / "value"
    both("converge", **write_command(path, text))
    assert path.read_text() == text


@pytest.mark.parametrize(("match", "desired"), [("contains", "orl"), ("regex", "^hello.*d$")])
def test_converge_can_look_for_a_part_of_the_output(match: str, desired: str) -> None:
    done = run_module("converge", probe=["echo", "hello world"], desired=desired, match=match, command=["false"])
    assert not done["changed"]


def test_converge_says_in_check_mode_that_its_probe_is_not_there_yet() -> None:
    arguments: dict[str, Any] = {"probe": ["no-such-program"], "desired": "1", "command": ["no-such-program", "set"]}
    predicted = run_module("converge", check=True, **arguments)
    assert predicted["changed"]
    assert "no-such-program" in predicted["blind_spot"]
    assert run_module("converge", **arguments)["failed"]


def test_converge_reports_what_came_in_the_same_run_against_nothing(tmp_path: Path) -> None:
    """Check mode sees no tool and the run a tool with values of its own: both must say the same."""
    path, command = tmp_path / "value", write_command(tmp_path / "value", "new")
    predicted = run_module("converge", check=True, fresh=True, **{**command, "probe": ["no-such-program"]})
    for found in ("old", "new"):
        path.write_text(found)
        done = run_module("converge", fresh=True, **command)
        assert done["changed"]
        assert done["diff"]["before"] == predicted["diff"]["before"] == ""
        assert done["diff"]["after"] == predicted["diff"]["after"] == "new\n"
        assert path.read_text() == "new"
    assert "blind_spot" not in predicted


def test_converge_adds_to_the_environment_and_runs_in_the_folder(tmp_path: Path) -> None:
    arguments: dict[str, Any] = {"environment": {"COLOUR": "blue"}, "chdir": str(tmp_path), "command": ["false"]}
    done = run_module("converge", probe=["sh", "-c", 'echo "$COLOUR $PWD"'], desired=f"blue {tmp_path}", **arguments)
    assert not done["changed"]


def test_converge_shows_nothing_of_a_secret(tmp_path: Path) -> None:
    done = run_module("converge", sensitive=True, **write_command(tmp_path / "value", "hunter-two"))
    assert done["changed"]
    assert "hunter-two" not in str(done)
    assert done["diff"]["before"] != done["diff"]["after"]


CONTENTS = ["  {{ a }} {% b %} {# c", "ü\nno break at the end", "one\n\n", "", "\ttab\r\n", "'\"$(id)`id`\\"]


@pytest.mark.parametrize("content", CONTENTS)
def test_a_file_arrives_byte_for_byte(both: Both, tmp_path: Path, content: str) -> None:
    path = tmp_path / "new" / "folder" / "file"
    done = both("managed_file", path=str(path), content=content)
    assert path.read_bytes() == content.encode()
    assert done["changed"]
    assert done["parents"] == [str(path.parent.parent), str(path.parent)]


def test_a_file_has_its_mode_whatever_the_umask_says(both: Both, tmp_path: Path) -> None:
    previous = os.umask(0o077)
    try:
        both("managed_file", path=str(tmp_path / "default"), content="x")
        both("managed_file", path=str(tmp_path / "given"), content="x", mode="0640")
    finally:
        os.umask(previous)
    assert (tmp_path / "default").stat().st_mode & 0o7777 == 0o644
    assert (tmp_path / "given").stat().st_mode & 0o7777 == 0o640


def test_another_content_or_mode_of_a_file_is_shown_with_what_was_there(both: Both, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old\n")
    path.chmod(0o600)
    done = both("managed_file", path=str(path), content="new\n", mode="644")
    assert [part["before"] for part in done["diff"]] == ["mode: 0600\n", "old\n"]
    assert [part["after"] for part in done["diff"]] == ["mode: 0644\n", "new\n"]


def test_what_is_no_text_is_shown_by_its_digest(both: Both, tmp_path: Path) -> None:
    data = bytes(range(256))
    path = tmp_path / "file"
    done = both("managed_file", path=str(path), content_base64=base64.b64encode(data).decode())
    assert path.read_bytes() == data
    assert "256 bytes, sha256" in done["diff"][1]["after"]


def test_a_sensitive_content_is_in_no_output(both: Both, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old-secret")
    done = both("managed_file", path=str(path), content="new-secret", sensitive=True)
    assert "secret" not in str(done["diff"])
    assert done["diff"][0]["before"] != done["diff"][0]["after"]


def test_a_folder_that_is_not_empty_is_only_deleted_by_force(both: Both, tmp_path: Path) -> None:
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    arguments: dict[str, Any] = {"path": str(tmp_path / "folder"), "state": "absent"}
    assert run_module("managed_file", check=True, **arguments)["failed"]
    done = both("managed_file", force=True, **arguments)
    assert "inner" in done["diff"][0]["before"]
    assert not (tmp_path / "folder").exists()


def test_a_link_is_not_followed(both: Both, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("keep")
    link = tmp_path / "link"
    both("managed_file", path=str(link), state="link", target="outside")
    refused = run_module("managed_file", path=str(link), content="x")
    assert "force" in refused["msg"]
    both("managed_file", path=str(link), content="x", force=True)
    assert outside.read_text() == "keep"
    assert link.read_text() == "x"


def test_an_owner_who_does_not_exist_yet_is_a_blind_spot_unless_an_earlier_step_creates_it(tmp_path: Path) -> None:
    arguments: dict[str, Any] = {"path": str(tmp_path / "file"), "content": "x", "owner": "nobody-knows"}
    assert "nobody-knows" in run_module("managed_file", check=True, **arguments)["blind_spot"]
    assert "blind_spot" not in run_module("managed_file", check=True, known_owners=["nobody-knows"], **arguments)
    assert run_module("managed_file", **arguments)["failed"]


@pytest.mark.parametrize("path", ["relative", "/", "//", "/tmp/..", "/etc/\n", ""])
def test_a_path_that_is_none_is_refused(path: str) -> None:
    assert run_module("managed_file", check=True, path=path, state="absent", force=True)["failed"]


def test_content_that_its_validator_refuses_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for check in (True, False):
        done = run_module("managed_file", check=check, path=str(path), content="x", validate=["grep", "y", "%s"])
        assert done["failed"]
    assert not path.exists()


def test_keys_of_a_user_that_does_not_exist_yet_are_predicted() -> None:
    done = run_module("account_keys", check=True, name="nobody-knows", keys=[KEY], home="/srv/home")
    assert done["changed"]
    assert done["file"] == "/srv/home/.ssh/authorized_keys"
    assert done["diff"]["after"] == f"{KEY}\n"


@pytest.mark.parametrize("key", ["", "ssh-ed25519", f"{KEY}\n{KEY}", "# comment", "command=x"])
def test_what_is_no_key_is_refused(key: str) -> None:
    assert run_module("account_keys", check=True, name="nobody-knows", keys=[key])["failed"]


def test_a_new_user_is_predicted_with_its_groups() -> None:
    done = run_module("account", check=True, name="nobody-knows", groups=["no-such-group"], shell="/bin/sh")
    assert [part["after_header"] for part in done["diff"]] == ["group no-such-group", "user nobody-knows"]
    assert "shell: /bin/sh" in done["diff"][1]["after"]


def test_a_number_that_another_user_has_is_refused_in_check_mode_too() -> None:
    assert "root" in run_module("account", check=True, name="nobody-knows", uid=0)["msg"]


@pytest.mark.parametrize("name", ["--option", "a b", "a;b", "curl-", "*", "$(id)", "a\nb", "", "lib.*", "../x"])
def test_what_is_no_name_of_a_package_never_reaches_apt(name: str) -> None:
    done = run_module("apt_get", check=True, names=[name])
    assert "is not the name of a Debian package" in done["msg"]


@pytest.mark.parametrize("name", ["--now", "a b", "a;b", "*", "a/b", ""])
def test_what_is_no_name_of_a_unit_never_reaches_systemd(name: str) -> None:
    done = run_module("unit", check=True, name=name, state="started")
    assert "is not the name of a systemd unit" in done["msg"]


def test_a_validator_that_an_earlier_step_brings_is_no_blind_spot(tmp_path: Path) -> None:
    arguments: dict[str, Any] = {"path": str(tmp_path / "x"), "content": "x", "validate": ["no-such-program", "%s"]}
    predicted = run_module("managed_file", check=True, validator_expected=True, **arguments)
    assert "blind_spot" not in predicted
    assert "blind_spot" in run_module("managed_file", check=True, **arguments)
    done = run_module("managed_file", validator_expected=True, **arguments)
    assert "cannot be validated" in done["msg"]


def test_a_file_says_whether_it_was_created(tmp_path: Path) -> None:
    arguments: dict[str, Any] = {"path": str(tmp_path / "x"), "content": "x"}
    assert run_module("managed_file", **arguments)["created"]
    assert not run_module("managed_file", **{**arguments, "content": "y"})["created"]


def test_files_whose_folders_are_made_at_the_same_moment_all_arrive(tmp_path: Path) -> None:
    paths = [tmp_path / "new" / "deep" / "er" / f"{number}" for number in range(12)]
    with ThreadPoolExecutor(len(paths)) as pool:
        done = list(pool.map(lambda path: run_module("managed_file", path=str(path), content="x"), paths))
    assert [answer["msg"] for answer in done if answer.get("failed")] == []
    assert [path.read_text() for path in paths] == ["x"] * len(paths)


def test_an_empty_file_goes_too(both: Both, tmp_path: Path) -> None:
    (tmp_path / "stamp").write_text("")
    assert both("managed_file", path=str(tmp_path / "stamp"), state="absent")["changed"]
    assert not (tmp_path / "stamp").exists()
