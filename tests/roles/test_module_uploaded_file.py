"""The module uploaded_file, run for real here, as its action plugin drives it."""

import base64
import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from roles.running import run_module

LARGE = os.urandom(300_000)


def of(data: bytes, **more: Any) -> dict[str, Any]:
    """The arguments that the action plugin adds."""
    told = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest(), **more}
    return told if len(data) > 200_000 else {**told, "content_base64": base64.b64encode(data).decode()}


def stage(tmp_path: Path, data: bytes) -> str:
    path = tmp_path / "staged"
    path.write_bytes(data)
    return str(path)


def run(path: Path, *, check: bool = False, **arguments: Any) -> dict[str, Any]:
    return run_module("uploaded_file", check=check, path=str(path), **arguments)


def test_a_large_file_is_asked_for_only_when_it_is_needed_and_then_put_into_place(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    predicted = run(path, check=True, **of(LARGE))
    assert predicted["changed"]
    assert not path.parent.exists()
    wanted = run(path, **of(LARGE))
    assert (wanted["changed"], wanted["wanted"]) == (False, True)
    done = run(path, **of(LARGE, mode="0640", staged=stage(tmp_path, LARGE)))
    assert (done["created"], done["parents"]) == (True, [str(path.parent)])
    assert done["diff"][-1] == predicted["diff"][-1]
    assert f"sha256 {hashlib.sha256(LARGE).hexdigest()}" in done["diff"][-1]["after"]
    assert path.read_bytes() == LARGE
    assert path.stat().st_mode & 0o7777 == 0o640
    again = run(path, **of(LARGE))
    assert not again["changed"]
    assert "wanted" not in again
    [diff] = run(path, **of(LARGE, mode="0600"))["diff"]
    assert (diff["before"], diff["after"]) == ("mode: 0640\n", "mode: 0600\n")
    assert path.stat().st_mode & 0o7777 == 0o600


@pytest.mark.parametrize("arrived", [LARGE[:-1], LARGE[:-1] + b"x" if LARGE[-1:] != b"x" else LARGE[:-1] + b"y", b""])
def test_what_arrived_otherwise_than_it_was_sent_replaces_nothing(tmp_path: Path, arrived: bytes) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    done = run(path, **of(LARGE, backup=True, staged=stage(tmp_path, arrived)))
    assert "not what was sent" in done["msg"]
    assert path.read_text() == "old"
    assert sorted(found.name for found in tmp_path.iterdir()) == ["file", "staged"]


def test_a_small_file_that_arrived_otherwise_is_refused(tmp_path: Path) -> None:
    arguments = of(b"new") | {"content_base64": base64.b64encode(b"other").decode()}
    assert "not what was sent" in run(tmp_path / "file", **arguments)["msg"]
    assert not (tmp_path / "file").exists()


def test_small_text_is_shown_and_what_it_replaces_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old\n")
    path.chmod(0o600)
    predicted = run(path, check=True, **of(b"new\n", backup=True))
    assert list(tmp_path.iterdir()) == [path]
    done = run(path, **of(b"new\n", backup=True))
    assert done["diff"] == predicted["diff"]
    assert [part["after"] for part in done["diff"]] == [f"backup: {path}.NUMBER.DATE@TIME~\n", "new\n"]
    kept = Path(done["backup_file"])
    assert kept.parent == tmp_path
    assert kept.read_text() == "old\n"
    assert kept.stat().st_mode & 0o7777 == 0o600
    assert path.read_text() == "new\n"
    assert not run(path, **of(b"new\n", backup=True))["changed"]
    assert len(list(tmp_path.iterdir())) == 2


def test_nothing_is_kept_where_nothing_was_or_nobody_wants_it(tmp_path: Path) -> None:
    assert "backup_file" not in run(tmp_path / "a", **of(b"x", backup=True))
    assert "backup_file" not in run(tmp_path / "a", content="y")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_link_or_folder_is_replaced_only_by_force_and_a_link_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("keep")
    (tmp_path / "link").symlink_to("outside")
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    for name in ("link", "folder"):
        assert "force" in run(tmp_path / name, check=True, content="x")["msg"]
        predicted = run(tmp_path / name, check=True, content="x", force=True)
        assert run(tmp_path / name, content="x", force=True)["diff"] == predicted["diff"]
        assert (tmp_path / name).read_text() == "x"
    assert (tmp_path / "outside").read_text() == "keep"


def test_a_staged_file_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(LARGE)
    (tmp_path / "staged").symlink_to("secret")
    assert run(tmp_path / "file", **of(LARGE, staged=str(tmp_path / "staged")))["failed"]
    assert not (tmp_path / "file").exists()


def test_a_sensitive_content_is_in_no_output(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old-secret")
    done = run(path, sensitive=True, **of(b"new-secret"))
    assert "secret" not in str(done["diff"])
    assert done["diff"][0]["before"] != done["diff"][0]["after"]
    assert path.read_text() == "new-secret"


def test_an_owner_who_does_not_exist_yet_is_a_blind_spot_unless_an_earlier_step_creates_it(tmp_path: Path) -> None:
    arguments: dict[str, Any] = {"content": "x", "owner": "nobody-knows"}
    assert "nobody-knows" in run(tmp_path / "x", check=True, **arguments)["blind_spot"]
    assert "blind_spot" not in run(tmp_path / "x", check=True, known_owners=["nobody-knows"], **arguments)
    assert run(tmp_path / "x", **arguments)["failed"]


@pytest.mark.parametrize("path", ["relative", "/", "//", "/tmp/..", "/etc/\n", ""])
def test_a_path_that_is_none_is_refused(path: str) -> None:
    assert run_module("uploaded_file", check=True, path=path, content="x", force=True)["failed"]


def test_without_its_action_plugin_a_source_is_an_error_that_says_so(tmp_path: Path) -> None:
    assert "action plugin" in run(tmp_path / "x", source="/etc/hostname")["msg"]
