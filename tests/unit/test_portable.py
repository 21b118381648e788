"""The file of a portable plan: whole, or refused with the part that was altered."""

import io
import re
import stat
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from intendant.errors import InputError
from intendant.plans import Plan
from intendant.portable import PortablePlan, pack, read_portable, unpack
from support.portables import SETTINGS, Members, edit_plan, forge, plan_portable, reseal, rewrite, write_file
from support.settings import no_settings
from unit.projects import write_project


@dataclass(frozen=True)
class Made:
    plan: Plan
    path: Path
    data: bytes


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    with no_settings():
        folder = write_project(tmp_path_factory.mktemp("a") / "project", SETTINGS)
        plan = plan_portable(folder, request="note it")
        path = write_file(folder, plan, folder / "plan.intendant")
    return Made(plan, path, path.read_bytes())


def test_a_file_gives_back_the_plan_and_its_snapshot(made: Made) -> None:
    read = read_portable(made.path)
    without_policy = {"approval_reason": "", "approval_channels": ()}
    assert read.plan == made.plan.model_copy(update=without_policy)
    assert read.plan.request == "note it"
    assert {"playbook.yml", "params.json", "roles/note/tasks/main.yml", "library/converge.py"} <= read.files.keys()
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    assert pack(read) == made.data


def test_any_zip_program_can_list_it_and_nothing_in_it_names_a_place_of_this_machine(made: Made) -> None:
    with zipfile.ZipFile(made.path) as archive:
        content = b"".join(archive.read(name) for name in archive.namelist() if name != "plan.json")
        assert archive.testzip() is None
    assert str(made.path.parent).encode() not in content
    assert b"hello" in content


def test_whatever_byte_is_changed_the_file_is_refused(made: Made) -> None:
    size = len(made.data)
    places = {*range(0, size, 499), *range(64), *range(size - 400, size)}
    for place in sorted(places):
        changed = bytearray(made.data)
        changed[place] ^= 0x41
        with pytest.raises(InputError, match=r"altered|no plan's file|format"):
            unpack(bytes(changed))
    for other in (made.data[:-1], made.data + b"x", b"x" + made.data, made.data[: size // 2], b"", b"PK"):
        with pytest.raises(InputError, match=r"altered|no plan's file"):
            unpack(other)


@pytest.mark.parametrize(
    "name", ["manifest.json", "plan.json", "snapshot/roles/note/tasks/main.yml", "snapshot/params.json"]
)
def test_damage_is_said_to_be_where_it_is(made: Made, name: str) -> None:
    with zipfile.ZipFile(made.path) as archive:
        info = archive.getinfo(name)
    changed = bytearray(made.data)
    changed[info.header_offset + 30 + len(name) + info.compress_size // 2] ^= 0xFF
    with pytest.raises(InputError, match=re.escape(f"damaged: '{name}'")):
        unpack(bytes(changed))


def swap_hosts(document: dict[str, Any]) -> None:
    document["hosts"][0]["host"] = "db1"


def widen(document: dict[str, Any]) -> None:
    document["bindings"]["hosts"].append("db1")


EDITS: dict[str, tuple[Callable[[Members], object], str]] = {
    "a predicted change": (
        edit_plan(lambda plan: plan["hosts"][0]["changes"][0].update(after="harmless")),
        "plan.json does not fit its digest",
    ),
    "the digest": (edit_plan(lambda plan: plan.update(digest="0" * 64)), "plan.json does not fit its digest"),
    "a param": (
        edit_plan(lambda plan: plan["steps"][0]["params"].update(note_path="/etc/passwd")),
        "plan.json does not fit its digest",
    ),
    "the host of a prediction": (edit_plan(swap_hosts), "plan.json does not fit its digest"),
    "the list of hosts": (edit_plan(widen), "plan.json does not fit its digest"),
    "the words of the request": (edit_plan(lambda plan: plan.update(request="no")), "does not fit its digest"),
    "the time": (edit_plan(lambda plan: plan.update(expires_at="2199-01-01T00:00:00Z")), "does not fit its digest"),
    "an approval that comes along": (
        edit_plan(lambda plan: plan.update(approval_reason="yes")),
        "not as it is written",
    ),
    "another field": (edit_plan(lambda plan: plan.update(more=1)), "plan.json is no plan"),
    "a file of a role": (
        lambda members: members.update({"snapshot/roles/note/tasks/main.yml": b"- shell: evil\n"}),
        "the files of its snapshot",
    ),
    "a file that is added": (
        lambda members: members.update({"snapshot/library/copy.py": b""}),
        "files of its snapshot",
    ),
    "a file that is missing": (lambda members: members.pop("snapshot/params.json"), "files of its snapshot"),
    "the params": (lambda members: members.update({"snapshot/params.json": b"{}"}), "the files of its snapshot"),
    "the manifest": (lambda members: members.update({"manifest.json": b"{}"}), "manifest.json does not list"),
    "no manifest": (lambda members: members.pop("manifest.json"), "manifest.json does not list"),
    "no plan": (lambda members: members.pop("plan.json"), "plan.json is no plan"),
    "a path that leaves": (lambda members: members.update({"snapshot/../x": b""}), "does not belong"),
    "a path from the root": (lambda members: members.update({"snapshot//etc/x": b""}), "does not belong"),
    "an unknown member": (lambda members: members.update({"README": b""}), "does not belong"),
}


@pytest.mark.parametrize("what", EDITS)
def test_an_edit_is_refused_also_when_the_checksum_was_mended(made: Made, what: str) -> None:
    change, message = EDITS[what]
    with pytest.raises(InputError, match=re.escape(message)):
        unpack(rewrite(made.data, change))


def add_link(archive: zipfile.ZipFile) -> None:
    info = zipfile.ZipInfo("snapshot/link", (1980, 1, 1, 0, 0, 0))
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive.writestr(info, "/etc/shadow")


def add_twice(archive: zipfile.ZipFile) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(archive.getinfo("plan.json"), "{}")


def add_bomb(archive: zipfile.ZipFile) -> None:
    with archive.open("snapshot/big", "w") as file:
        for _ in range(330):
            file.write(bytes(2**20))


@pytest.mark.parametrize(
    ("add", "message"),
    [
        (add_link, "no plain file"),
        (add_twice, "does not belong"),
        (lambda archive: archive.mkdir("snapshot/folder"), "does not belong"),
        (add_bomb, "larger"),
    ],
    ids=["link", "twice", "folder", "bomb"],
)
def test_hostile_archives_are_refused(made: Made, add: Callable[[zipfile.ZipFile], object], message: str) -> None:
    buffer = io.BytesIO(made.data)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        add(archive)
    with pytest.raises(InputError, match=message):
        unpack(reseal(buffer.getvalue()))


def test_a_plan_whose_prediction_is_for_other_hosts_than_it_is_bound_to_is_refused(made: Made) -> None:
    read = unpack(made.data)
    with pytest.raises(InputError, match="hosts of the prediction"):
        unpack(pack(forge(read, hosts=read.plan.hosts[:1])))


@pytest.mark.parametrize("plan_id", ["../../etc", "plan-0123456789ab/..", "run-0123456789ab", ""])
def test_an_id_is_never_a_path(made: Made, plan_id: str) -> None:
    with pytest.raises(InputError, match="not as it is written"):
        unpack(pack(forge(unpack(made.data), id=plan_id)))


def test_times_without_a_zone_are_refused(made: Made) -> None:
    local = made.plan.expires_at.replace(tzinfo=None)
    with pytest.raises(InputError, match="not as it is written"):
        unpack(pack(forge(unpack(made.data), expires_at=local)))


def test_a_format_of_the_future_is_named(made: Made) -> None:
    later = reseal(made.data.replace(b"intendant-plan 1 sha256 ", b"intendant-plan 2 sha256 "))
    with pytest.raises(InputError, match="format that this version does not know: it reads intendant-plan 1"):
        unpack(later)


def test_names_that_cannot_be_kept_are_refused_when_the_file_is_written(made: Made) -> None:
    read = unpack(made.data)
    for name in ("roles/note/files/a\nb", "roles/note/files/a\\b"):
        with pytest.raises(InputError, match="Rename it"):
            pack(PortablePlan(read.plan, {**read.files, name: (b"", False)}))


def test_what_is_no_such_file_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("hosts: web\n")
    with pytest.raises(InputError, match="is no plan's file"):
        read_portable(tmp_path / "x")
    with pytest.raises(InputError, match="No such file"):
        read_portable(tmp_path / "y")
