"""How a line of a file is found, replaced and deleted, and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from roles.running import run_module

INI = "# port = 1\n[a]\n  port = 2\n# host = x\n"


def edit(path: Path, **arguments: Any) -> str:
    """What the file holds afterwards; the diff of check mode is the one of the real run and tells the same."""
    before = path.read_bytes().decode() if path.exists() else ""
    planned = run_module("config_line", check=True, path=str(path), **arguments)
    assert (path.read_bytes().decode() if path.exists() else "") == before
    done = run_module("config_line", path=str(path), **arguments)
    after = path.read_bytes().decode() if path.exists() else ""
    assert not done.get("failed"), done["msg"]
    assert planned["diff"] == done["diff"]
    assert (done["diff"]["before"], done["diff"]["after"]) == (before, after)
    assert done["changed"] == (before != after)
    assert not run_module("config_line", check=True, path=str(path), **arguments)["changed"]
    return after


@pytest.mark.parametrize(
    ("before", "arguments", "after"),
    [
        (INI, {"key": "port", "value": "3"}, "# port = 1\n[a]\n  port=3\n# host = x\n"),
        (INI, {"key": "port", "value": "2"}, INI),
        (INI, {"key": "host", "value": "y", "separator": " = "}, INI + "host = y\n"),
        (INI, {"key": "user", "value": "z", "separator": ": "}, INI + "user: z\n"),
        (INI, {"key": "port", "state": "absent"}, "# port = 1\n[a]\n# host = x\n"),
        ("#Port 22\nX\n", {"key": "Port", "value": "23", "separator": " "}, "#Port 22\nPort 23\nX\n"),
        ("PortX 1\n", {"key": "Port", "value": "2", "separator": " "}, "PortX 1\nPort 2\n"),
        ("a\tb\n", {"key": "a", "value": "b", "separator": " "}, "a\tb\n"),
        ("a", {"line": "b"}, "a\nb\n"),
        ("a\r\nb\r\n", {"line": "c"}, "a\r\nb\r\nc\r\n"),
        ("a\r\nb\r\n", {"line": "c", "match": "^a"}, "c\r\nb\r\n"),
        ("a\r\n", {"line": "a"}, "a\r\n"),
        ("a\nb\na", {"line": "a", "state": "absent"}, "b\n"),
        ("a\nb", {"line": "a", "state": "absent"}, "b"),
        ("a\nb\n", {"line": "c", "after": "^a$"}, "a\nc\nb\n"),
        ("a\nb\n", {"line": "c", "after": "no such"}, "a\nb\nc\n"),
        ("a1\na2\n", {"match": "^a[0-9]", "state": "absent"}, ""),
        ("a.b=1\naxb=2\n", {"key": "a.b", "value": "3"}, "a.b=3\naxb=2\n"),
        ("x\n", {"line": r"\1 $HOME {{ x }}", "match": "(x)"}, "\\1 $HOME {{ x }}\n"),
        ("a\x0cb\x85c\n", {"line": "d"}, "a\x0cb\x85c\nd\n"),
        ("", {"line": "a"}, "a\n"),
        ("a=\n", {"key": "a", "value": ""}, "a=\n"),
    ],
)
def test_only_the_line_that_is_meant_changes(
    tmp_path: Path, before: str, arguments: dict[str, Any], after: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(before.encode())
    path.chmod(0o640)
    edit(path, **arguments)
    assert path.read_bytes() == after.encode()
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_file_that_is_created_is_deleted_when_its_last_line_goes(tmp_path: Path) -> None:
    path = tmp_path / "new"
    assert edit(path, line="a", create=True) == "a\n"
    assert edit(path, line="a", state="absent", create=True) == ""
    assert not path.exists()


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("a\n")
    link = tmp_path / "link"
    link.symlink_to("real")
    edit(link, line="b")
    assert link.is_symlink()
    assert (tmp_path / "real").read_text() == "a\nb\n"


@pytest.mark.parametrize(
    ("content", "arguments", "reason"),
    [
        (b"a=1\na=2\n", {"key": "a", "value": "3"}, "lines 1, 2 could all be meant"),
        (b"a\nab\n", {"line": "x", "match": "a"}, "could all be meant"),
        (b"a\n", {"line": "x", "match": "("}, "match is no regular expression"),
        (b"a\n", {"line": "x\ny"}, "line break"),
        (b"a\n", {"key": "x"}, "value"),
        (b"\xff\n", {"line": "x"}, "UTF-8"),
        (b"a\0\n", {"line": "x"}, "UTF-8"),
        (None, {"line": "x"}, "create makes one"),
    ],
)
def test_what_is_not_safe_is_refused_in_both_modes(
    tmp_path: Path, content: bytes | None, arguments: dict[str, Any], reason: str
) -> None:
    path = tmp_path / "file"
    if content is not None:
        path.write_bytes(content)
    for check in (True, False):
        answer = run_module("config_line", check=check, path=str(path), **arguments)
        assert answer["failed"]
        assert reason in answer["msg"]
    assert (path.read_bytes() if content is not None else None) == content


def test_check_mode_runs_no_command_that_is_not_known_to_be_harmless(tmp_path: Path) -> None:
    path, trace = tmp_path / "file", tmp_path / "trace"
    path.write_text("a\n")
    for command in (["touch", str(trace), "%s"], [str(tmp_path / "visudo"), "-cf", "%s"], ["visudo", "-f", "%s"]):
        answer = run_module("config_line", check=True, path=str(path), line="b", validate=command)
        assert "was not run" in answer["blind_spot"]
    assert not trace.exists()
    run_module("config_line", path=str(path), line="b", validate=["touch", str(trace), "%s"])
    assert trace.exists()


def test_a_validator_that_says_no_keeps_the_file(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text("1\n")
    for check in (True, False):
        answer = run_module(
            "config_line", check=check, path=str(path), line="{", validate=["python3", "-m", "json.tool", "%s"]
        )
        assert "refuses the new file" in answer["msg"]
    assert path.read_text() == "1\n"


def test_a_secret_line_is_in_no_answer(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("other=some text\n")
    for check in (True, False):
        answer = run_module("config_line", check=check, path=str(path), key="k", value="hunter-two", sensitive=True)
        assert "hunter-two" not in str(answer)
        assert "some text" not in str(answer)
        assert answer["diff"]["before"] != answer["diff"]["after"]
    assert path.read_text() == "other=some text\nk=hunter-two\n"


def test_check_mode_goes_on_from_what_earlier_steps_leave(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("a\n")
    answer = run_module("config_line", check=True, path=str(path), line="c", assumed="a\nb\n")
    assert (answer["diff"]["before"], answer["diff"]["after"]) == ("a\nb\n", "a\nb\nc\n")
    path.write_text("a\nb\n")
    assert run_module("config_line", path=str(path), line="c", assumed="not read")["diff"] == answer["diff"]
