"""The file of a portable plan: one zip archive, of which every byte is checked before anything in it counts.

The last bytes are a SHA-256 over all bytes before them, as the archive's comment. The manifest follows from the plan
and the snapshot's files and lists each of them; the plan's digest covers the plan and, through its bindings, the
snapshot.
"""

import hashlib
import io
import json
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from intendant.errors import InputError
from intendant.fingerprints import fingerprint_files, hash_content
from intendant.plans import Plan
from intendant.snapshot import read_snapshot

FORMAT = "intendant-plan"
VERSION = 1
_MARK = f"{FORMAT} {VERSION} sha256 ".encode()
_HEX = 64
_MOST_BYTES = 256 * 2**20
_MOST_FILES = 20_000
_MANIFEST, _PLAN, _SNAPSHOT = "manifest.json", "plan.json", "snapshot/"
_PLAN_ID = re.compile(r"plan-[0-9a-f]{12}")
_DATE = (1980, 1, 1, 0, 0, 0)
_FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError)


@dataclass(frozen=True)
class PortablePlan:
    """A plan with its snapshot: each file's content and whether it is executable, by name."""

    plan: Plan
    files: Mapping[str, tuple[bytes, bool]]

    @property
    def hashes(self) -> dict[str, str]:
        """The snapshot's files as fingerprints take them."""
        return {name: hash_content(*file) for name, file in self.files.items()}

    def uploads(self) -> dict[str, bytes]:
        """What the plan sends to hosts, by the name of the copy."""
        found = {name.partition("/"): content for name, (content, _) in self.files.items()}
        return {name: content for (folder, _, name), content in found.items() if folder == "uploads"}


def write_portable(plan: Plan, snapshot: Path, path: Path) -> None:
    """Write the file, readable by its owner only, whole or not at all.

    Raises:
        InputError: it cannot be written, or the snapshot is too large.
    """
    data = pack(PortablePlan(plan, read_snapshot(snapshot)))
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise InputError(f"--out {path}: {error.strerror}. The plan itself is stored as {plan.id}.") from error


def pack(portable: PortablePlan) -> bytes:
    """The file's bytes; the same plan gives the same bytes on the same machine."""
    if sum(len(content) for content, _ in portable.files.values()) > _MOST_BYTES or len(portable.files) > _MOST_FILES:
        raise InputError(f"--out: this plan runs more than {_MOST_BYTES // 2**20} MiB or {_MOST_FILES} files.")
    if odd := [name for name in portable.files if not _is_plain(name)]:
        raise InputError(f"--out: the file name {odd[0]!r} cannot be kept in a plan's file. Rename it.")
    # What the policy of this project says is of no weight elsewhere.
    plan = portable.plan.model_copy(update={"approval_reason": "", "approval_channels": ()})
    members = {_MANIFEST: (_write_manifest(plan, portable.files), False), _PLAN: (_write_plan(plan), False)}
    members.update({_SNAPSHOT + name: portable.files[name] for name in sorted(portable.files)})
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.comment = _MARK + b"0" * _HEX
        for name, (content, executable) in members.items():
            info = zipfile.ZipInfo(name, _DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            info.external_attr = (stat.S_IFREG | (0o755 if executable else 0o644)) << 16
            archive.writestr(info, content)
    covered = buffer.getvalue()[:-_HEX]
    return covered + hashlib.sha256(covered).hexdigest().encode()


def read_portable(path: Path) -> PortablePlan:
    """The plan of a file, when not a byte of it was changed since it was written.

    Raises:
        InputError: it cannot be read, is no such file, or a part of it was altered: the message says which.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(f"{path}: is larger than {_MOST_BYTES // 2**20} MiB, and so no plan of ours.")
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}.") from error
    try:
        return unpack(data)
    except InputError as error:
        raise InputError(f"{path}: {error} Get the file again, or plan again.") from None


def unpack(data: bytes) -> PortablePlan:
    """As ``read_portable``, of the file's bytes."""
    covered, mark = data[:-_HEX], data[-_HEX - len(_MARK) : -_HEX]
    if not mark.startswith(FORMAT.encode()) and not data.startswith(b"PK"):
        raise InputError("is no plan's file: intendant plan --out writes one.")
    if hashlib.sha256(covered).hexdigest().encode() != data[-_HEX:]:
        raise InputError(f"was altered or is damaged: {_locate(data)}.")
    if mark != _MARK:
        raise InputError(f"is of a format that this version does not know: it reads {FORMAT} {VERSION}.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = dict(_read_members(archive))
    except _FAULTS as error:
        raise InputError(f"was altered: the archive cannot be read ({error}).") from error
    return _check(members)


def _check(members: dict[str, tuple[bytes, bool]]) -> PortablePlan:
    """The checks that a new checksum over an altered file does not get past."""
    files = {name.removeprefix(_SNAPSHOT): file for name, file in members.items() if name.startswith(_SNAPSHOT)}
    try:
        plan = Plan.model_validate_json(members[_PLAN][0])
    except (KeyError, ValidationError) as error:
        raise InputError(f"was altered: {_PLAN} is no plan.") from error
    portable = PortablePlan(plan, files)
    if plan.digest != plan.compute_digest():
        raise InputError(f"was altered: {_PLAN} does not fit its digest {plan.digest[:12]}.")
    if fingerprint_files(portable.hashes) != plan.bindings.params:
        raise InputError("was altered: the files of its snapshot are not those that the plan's digest covers.")
    names = [host.host for host in plan.hosts]
    if sorted(names) != sorted(plan.bindings.hosts):
        raise InputError("was altered: the hosts of the prediction are not those that the plan is bound to.")
    well_formed = _PLAN_ID.fullmatch(plan.id) and plan.portable and not (plan.approval_reason or plan.approval_channels)
    with_zone = plan.created_at.tzinfo is not None and plan.expires_at.tzinfo is not None
    if not (well_formed and with_zone) or members[_PLAN][0] != _write_plan(plan):
        raise InputError(f"was altered: {_PLAN} is not as it is written by 'intendant plan --out'.")
    if members.get(_MANIFEST) != (_write_manifest(plan, files), False):
        raise InputError(f"was altered: {_MANIFEST} does not list what the file holds.")
    return portable


def _read_members(archive: zipfile.ZipFile) -> Iterator[tuple[str, tuple[bytes, bool]]]:
    infos = archive.infolist()
    if len(infos) > _MOST_FILES + 2 or sum(info.file_size for info in infos) > _MOST_BYTES + 2**26:
        raise InputError("is larger than a plan's file can be.")
    seen = set()
    for info in infos:
        name, mode = info.filename, info.external_attr >> 16
        inner = name.removeprefix(_SNAPSHOT)
        if name in seen or (name not in (_MANIFEST, _PLAN) and (inner == name or not _is_plain(inner))):
            raise InputError(f"was altered: it holds {name[:100]!r}, which does not belong into it.")
        if mode not in (stat.S_IFREG | 0o644, stat.S_IFREG | 0o755) or info.orig_filename != name:
            raise InputError(f"was altered: {name[:100]!r} is no plain file.")
        if info.compress_type != zipfile.ZIP_DEFLATED or info.flag_bits & ~0x800:
            raise InputError(f"was altered: {name[:100]!r} is stored in another way than we do.")
        seen.add(name)
        yield name, (archive.read(info), bool(mode & 0o100))


def _is_plain(name: str) -> bool:
    """A relative path that goes down only."""
    parts = name.split("/")
    return name.isprintable() and "\\" not in name and not {"", ".", ".."} & set(parts) and len(name) < 1000


def _write_plan(plan: Plan) -> bytes:
    return (json.dumps(plan.to_document(), sort_keys=True, indent=1) + "\n").encode("ascii")


def _write_manifest(plan: Plan, files: Mapping[str, tuple[bytes, bool]]) -> bytes:
    """All of it follows from the plan and the files, so there is nothing in it to alter."""
    seal = plan.bindings.seal
    listed = {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "executable": executable}
        for name, (content, executable) in sorted(files.items())
    }
    document = {
        "format": FORMAT,
        "version": VERSION,
        "intendant": seal.intendant if seal else "",
        "ansible_core": plan.bindings.ansible_core,
        "plan": plan.id,
        "digest": plan.digest,
        "files": listed,
    }
    return (json.dumps(document, indent=1) + "\n").encode("ascii")


def _locate(data: bytes) -> str:
    """Which part of a file does not fit its checksum, as far as it can be told."""
    name = ""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            listed = {}
            for info in archive.infolist():
                name = info.filename
                content = archive.read(info)
                if name == _MANIFEST:
                    listed = json.loads(content)["files"]
                known = listed.get(name.removeprefix(_SNAPSHOT), {}).get("sha256")
                if name.startswith(_SNAPSHOT) and hashlib.sha256(content).hexdigest() != known:
                    break
            else:
                name = ""
    except (*_FAULTS, KeyError, TypeError, AttributeError):
        pass
    return repr(name[:100]) if name else "the archive around its files"
