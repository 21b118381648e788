"""Files of portable plans: made without hosts, and changed in ways that nobody should get away with."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from intendant.app import open_app
from intendant.fingerprints import fingerprint_files, hash_content
from intendant.intents import Step
from intendant.planning import snapshot_dir
from intendant.plans import Plan
from intendant.portable import PortablePlan, write_portable
from intendant.runner.fake import FakeRunner
from unit.projects import changed

SETTINGS = 'state_dir = "state"\n[policy]\nfrom_var = ["note_word"]\n'
BOTH = (changed("web1"), changed("web2"))
STEP = Step(intent="note", params={"note_path": "/srv/note", "note_text": {"from_var": "note_word"}})
Members = dict[str, bytes]


def plan_portable(folder: Path, step: Step = STEP, **options: Any) -> Plan:
    app = open_app(folder, FakeRunner(BOTH))
    return app.planner.plan_changes("web", [step], portable=True, **options)


def write_file(folder: Path, plan: Plan, path: Path) -> Path:
    write_portable(plan, snapshot_dir(open_app(folder).config, plan.id), path)
    return path


def reseal(data: bytes) -> bytes:
    """The same file with a checksum that fits, as somebody with bad intentions would leave it."""
    return data[:-64] + hashlib.sha256(data[:-64]).hexdigest().encode()


def rewrite(data: bytes, change: Callable[[Members], object]) -> bytes:
    """The archive with other members, written as ours are and with a checksum that fits."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        infos = {info.filename: info for info in archive.infolist()}
        members = {name: archive.read(info) for name, info in infos.items()}
        comment = archive.comment
    change(members)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = comment
        for name, content in members.items():
            info = infos.get(name) or zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.external_attr = info.external_attr or 0o100644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return reseal(buffer.getvalue())


def edit_plan(change: Callable[[dict[str, Any]], object]) -> Callable[[Members], None]:
    """An edit of plan.json alone, laid out as before."""

    def edit(members: Members) -> None:
        document = json.loads(members["plan.json"])
        change(document)
        members["plan.json"] = (json.dumps(document, sort_keys=True, indent=1) + "\n").encode()

    return edit


def forge(portable: PortablePlan, files: Mapping[str, bytes] = {}, **fields: Any) -> PortablePlan:
    """A whole new file in which everything fits together: other files in the snapshot, other fields of the plan."""
    held = {**portable.files, **{name: (content, False) for name, content in files.items()}}
    params = fingerprint_files({name: hash_content(*file) for name, file in held.items()})
    bindings = portable.plan.bindings.model_copy(update={"params": params, **fields.pop("bindings", {})})
    plan = portable.plan.model_copy(update={"bindings": bindings, **fields})
    return PortablePlan(plan.model_copy(update={"digest": plan.compute_digest()}), held)
