"""The commands that look at files, run here by the shells of this machine, and how hostile answers are read."""

import base64
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from intendant.errors import InputError
from intendant.remote import KEEP_BYTES, Order, Outcome, Stream, build_script, read_outcome
from intendant.remote_files import (
    MOST_ENTRIES,
    Reply,
    build_hash,
    build_list,
    build_read,
    check_path,
    read_entries,
    read_reply,
)

MARK = "0123456789abcdef"
SHELLS = [shell for shell in ("dash", "bash") if shutil.which(shell)]
HOSTILE = [b"a\nb", b"\x1b[31mred", b"-rf", b"$(touch x)", b"caf\xe9", b"'; x", b" ", b".hidden", "\u202egpj".encode()]


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def run(command: str, shell: str = "dash", seconds: int = 20) -> Outcome:
    order = Order(command, MARK, seconds)
    script = build_script(order).replace("/bin/sh", shell)
    done = subprocess.run([shell], input=script.encode(), capture_output=True, timeout=60, check=True)
    return read_outcome(order, done.stdout, done.stderr)


def ask(command: str, shell: str = "dash") -> Reply | None:
    return read_reply(run(command, shell).stdout)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_is_read_from_where_it_is_asked_whatever_its_name(name: bytes, tmp_path: Path, shell: str) -> None:
    path = os.fsencode(tmp_path) + b"/" + name
    with open(path, "wb") as file:
        file.write(bytes(range(256)) * 3)
    os.chmod(path, 0o4640)
    try:
        text = path.decode()
    except UnicodeDecodeError:
        return  # no caller can name it
    reply = ask(build_read(text, 250, 10), shell)
    assert reply is not None
    assert reply.status is not None
    assert reply.data == bytes([*range(250, 256), *range(4)])
    assert (reply.status.mode, reply.status.size) == ("4640", 768)
    assert reply.status.owner == Path(tmp_path).owner()


def test_the_digest_is_of_the_whole_file(tmp_path: Path, shell: str) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    reply = ask(build_hash(str(tmp_path / "x")), shell)
    assert reply is not None
    assert reply.data.startswith(b"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")


def test_the_version_differs_after_every_write(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"abc")
    first = ask(build_read(str(path), 0, 0))
    time.sleep(0.02)
    path.write_bytes(b"abd")
    second = ask(build_read(str(path), 0, 0))
    assert first is not None
    assert second is not None
    assert first.status != second.status


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("{tmp}/fifo", "special"),
        ("/dev/zero", "special"),
        ("{tmp}/zero", "special"),
        ("/proc/kmsg", "system"),
        ("{tmp}/kmsg", "system"),
        ("/proc/self/environ", "system"),
        ("/sys/kernel/uevent_seqnum", "system"),
        ("{tmp}/loop", None),
        ("{tmp}", "folder"),
        ("{tmp}/none", None),
    ],
)
def test_what_is_no_regular_file_is_not_read(place: str, kind: str | None, tmp_path: Path, shell: str) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "kmsg").symlink_to("/proc/kmsg")
    (tmp_path / "loop").symlink_to("loop")
    began = time.monotonic()
    outcome = run(build_read(place.format(tmp=tmp_path), 0, 10), shell, seconds=10)
    reply = read_reply(outcome.stdout)
    assert (reply.kind if reply else None) == kind
    assert reply is None or reply.data == b""
    assert reply is not None or outcome.stderr.data
    assert time.monotonic() - began < 8


def test_what_takes_the_place_of_a_file_before_it_is_opened_is_not_read_either(tmp_path: Path, shell: str) -> None:
    """The look before the opening is taken out: then only the one at the descriptor is left."""
    looked = 'elif [ -e "$path" ] && [ ! -f "$path" ]; then echo special\n'
    os.mkfifo(tmp_path / "fifo")
    for place, kind in (("/dev/zero", "special"), ("/proc/version", "system")):
        command = build_read(place, 0, 10)
        assert looked in command
        reply = read_reply(run(command.replace(looked, ""), shell).stdout)
        assert reply == Reply(kind)  # type: ignore[arg-type]
    began = time.monotonic()
    outcome = run(build_read(str(tmp_path / "fifo"), 0, 10).replace(looked, ""), shell, seconds=1)
    assert outcome.timed_out
    assert time.monotonic() - began < 10


def test_a_folder_is_listed_with_hostile_names_as_they_are(tmp_path: Path, shell: str) -> None:
    for name in HOSTILE:
        with open(os.fsencode(tmp_path) + b"/" + name, "wb") as file:
            file.write(name)
    (tmp_path / "link").symlink_to("to\nwhere")
    (tmp_path / "folder").mkdir(mode=0o1777)
    entries, cut = read_entries(run(build_list(str(tmp_path)), shell).stdout)
    assert [entry.name for entry in entries] == sorted([*HOSTILE, b"link", b"folder"])
    assert not cut
    found = {entry.name: entry for entry in entries}
    assert (found[b"link"].kind, found[b"link"].target) == ("l", b"to\nwhere")
    assert found[b"folder"].kind == "d"
    assert found[b"a\nb"].size == 3
    alone, _ = read_entries(run(build_list(str(tmp_path / ".hidden")), shell).stdout)
    assert [entry.name for entry in alone] == [b".hidden"]
    assert b"No such file" in run(build_list(str(tmp_path / "none")), shell).stderr.data


def test_a_folder_with_too_many_entries_is_cut_and_says_so(tmp_path: Path) -> None:
    for number in range(MOST_ENTRIES + 5):
        (tmp_path / f"{number:05}").touch()
    entries, cut = read_entries(run(build_list(str(tmp_path))).stdout)
    assert (len(entries), cut) == (MOST_ENTRIES, True)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"file",
        b"file\n",
        b"file\n81a4 x 1 0 0\nversion\nroot:root\ndata",
        b"file\n81a4 1 1 0\nversion\nroot:root\ndata",
        b"file\n81a4 1 1 0 0\nversion\nroot:ro:ot\ndata",
        b"nothing\n1\n2\n3\n4",
        b"\xff" * 100,
    ],
)
def test_an_answer_that_is_none_is_no_file(answer: bytes) -> None:
    assert read_reply(Stream(base64.encodebytes(answer))) is None


def test_what_is_no_base64_is_nothing() -> None:
    assert read_reply(Stream(b"file\n!!!!")) is None
    assert read_entries(Stream(b"!!!!")) == ([], False)


def test_of_an_answer_with_a_gap_the_entries_before_it_are_read() -> None:
    entry = b"f\x001\x00644\x00root\x00root\x001.5\x00name\x00\x00"
    whole = base64.encodebytes(entry * 100_000)
    entries, cut = read_entries(Stream(whole[:KEEP_BYTES] + b"x" * 100, 5000))
    assert cut
    assert len(entries) == MOST_ENTRIES
    assert {entry.name for entry in entries} == {b"name"}


@pytest.mark.parametrize("path", ["", "etc/passwd", "~/x", "-x", "/x\0", "/x\ny", "/x\r", "/\ud800", "/" + "x" * 5000])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(InputError, match="path: "):
        check_path(path)
