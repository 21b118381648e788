"""`intendant doctor`: whether everything that plans and runs need is there, and what to do where it is not."""

import os
import shutil
import stat
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal, NamedTuple

from packaging.requirements import Requirement

from intendant.catalog import Catalog
from intendant.cleaning import sanitize
from intendant.config import Config, load_config
from intendant.errors import IntendantError
from intendant.inventory import Inventory, InventoryView
from intendant.passkeys import PasskeyFile, find_changeable
from intendant.paths import collections_path, roles_path
from intendant.views.lines import Line, Tone, plural, sanitize_line

Level = Literal["ok", "warn", "fail"]
_TONES: dict[Level, Tone] = {"ok": "plain", "warn": "warn", "fail": "error"}
_ENGINES = ("ansible-core", "ansible-runner")


class Finding(NamedTuple):
    """One thing that was looked at: what was seen and, unless it is ok, what to do."""

    level: Level
    topic: str
    seen: str
    advice: str = ""


def examine(project: Path | None) -> list[Finding]:
    """Look at the project around ``project`` (default: the working folder) and at this machine; changes nothing."""
    findings = [*_check_engines(), _check_python()]
    try:
        config = load_config(project)
    except IntendantError as error:
        return [*findings, Finding("fail", "project", str(error), "Nothing else can be checked without it.")]
    findings.append(Finding("ok", "project", str(config.project_dir)))
    findings.append(_check_ansible_cfg(config))
    findings += _check_vault(config)
    findings += _check_inventory(config)
    findings += _check_catalog(config)
    findings.append(_check_state(config.state_dir))
    findings.append(_summarize_policy(config))
    findings += _check_passkeys(config)
    return findings


def finding_lines(findings: Iterable[Finding]) -> list[Line]:
    """The findings as text, one line each and another one for what to do."""
    lines = []
    for finding in findings:
        first, *rest = sanitize(finding.seen).splitlines() or [""]
        tone = _TONES[finding.level]
        lines.append(Line(f"{finding.level:<4}  {finding.topic}: {first}", tone))
        lines += [Line(f"      {line}", tone) for line in rest]
        if finding.advice:
            lines.append(Line(f"      → {sanitize_line(finding.advice)}"))
    return lines


def _check_engines() -> Iterator[Finding]:
    wanted = {}
    try:
        wanted = {item.name: item.specifier for item in map(Requirement, requires("intendant") or [])}
    except PackageNotFoundError:
        yield Finding("warn", "intendant", "runs from a folder, not installed", "Install it: pip install .")
    for name in _ENGINES:
        try:
            found = version(name)
        except PackageNotFoundError:
            yield Finding("fail", name, "is not installed", f"Install it for {sys.executable}: pip install {name}")
            continue
        if name in wanted and not wanted[name].contains(found, prereleases=True):
            yield Finding("fail", name, f"{found}, needed is {wanted[name]}", f"pip install '{name}{wanted[name]}'")
        else:
            yield Finding("ok", name, found)


def _check_python() -> Finding:
    here = f"{sys.executable} ({sys.version.split()[0]}); hosts with a local connection use it too"
    if "/shims/" in sys.executable:
        return Finding("warn", "python", here, "This is a shim: install Intendant with a real interpreter.")
    on_path = shutil.which("python3") or ""
    if "/shims/" in on_path:
        return Finding(
            "ok", "python", f"{here}; python3 on the PATH is the shim {on_path}, which Intendant does not use"
        )
    return Finding("ok", "python", here)


def _check_ansible_cfg(config: Config) -> Finding:
    if config.ansible_cfg is not None:
        return Finding("ok", "ansible.cfg", str(config.ansible_cfg))
    missing = f"none: Ansible's defaults hold, with the inventory in {config.project_dir / 'inventory'}"
    return Finding("warn", "ansible.cfg", missing, "'intendant init' writes one.")


def _check_vault(config: Config) -> Iterator[Finding]:
    for file in _vault_files(config):
        if not file.is_file():
            yield Finding("fail", "vault", f"the password file {file} does not exist", "Make it, or mend ansible.cfg.")
        elif file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO) and not os.access(file, os.X_OK):
            yield Finding("warn", "vault", f"others can read the password file {file}", f"chmod 600 {file}")
        else:
            yield Finding("ok", "vault", f"password file {file}")


def _vault_files(config: Config) -> Iterator[Path]:
    """Password files as Ansible finds them: the environment wins over ansible.cfg; ``prompt`` is no file."""
    for variable, key in (
        ("ANSIBLE_VAULT_PASSWORD_FILE", "vault_password_file"),
        ("ANSIBLE_VAULT_IDENTITY_LIST", "vault_identity_list"),
    ):
        value = os.environ.get(variable) or config.read_ansible_setting("defaults", key) or ""
        for entry in filter(None, (part.strip() for part in value.split(","))):
            name = entry.rpartition("@")[2]
            if not name.startswith("prompt"):
                yield config.project_dir / Path(name).expanduser()


def _check_inventory(config: Config) -> Iterator[Finding]:
    try:
        view = Inventory(config).read()
    except IntendantError as error:
        yield Finding("fail", "inventory", str(error), "Mend the inventory: ansible-inventory --list shows the error.")
        return
    if not view.hosts:
        advice = "Name your hosts in the inventory. A file with an error counts as empty: see ansible-inventory --list."
        yield Finding("warn", "inventory", "no hosts", advice)
        return
    yield Finding("ok", "inventory", f"{plural(len(view.hosts), 'host')} in {plural(len(view.groups), 'group')}")
    yield from _check_ssh(view)


def _check_ssh(view: InventoryView) -> Iterator[Finding]:
    by_ssh = [host.name for host in view.hosts.values() if host.connection in ("ssh", "smart")]
    client = shutil.which("ssh")
    if client:
        yield Finding("ok", "ssh", client)
    elif by_ssh:
        missing = f"no ssh client on the PATH, and {plural(len(by_ssh), 'host')} need one"
        yield Finding("fail", "ssh", missing, "Install it (Debian: apt install openssh-client).")


def _check_catalog(config: Config) -> Iterator[Finding]:
    catalog = Catalog(roles_path(config), collections_path(config))
    for problem in catalog.problems():
        yield Finding("warn", "catalog", problem, "This role is left out until its file is mended.")
    count = len(catalog.list())
    if count:
        yield Finding("ok", "catalog", plural(count, "intent"))
    else:
        yield Finding("fail", "catalog", "no intents", "A role needs a meta/argument_specs.yml to be one.")


def _check_state(folder: Path) -> Finding:
    if not folder.exists():
        return Finding("ok", "state folder", f"{folder} (made with the first plan)")
    status = folder.stat()
    if status.st_uid != os.geteuid() or not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        advice = "Give it back with chown, or set INTENDANT_STATE_DIR."
        return Finding("fail", "state folder", f"{folder} is not yours to write", advice)
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return Finding("warn", "state folder", f"others can look into {folder}", f"chmod 700 {folder}")
    return Finding("ok", "state folder", str(folder))


def _summarize_policy(config: Config) -> Finding:
    policy = config.policy
    groups = "".join(
        f"; group {name}: {group.approval or policy.approval}" for name, group in sorted(policy.groups.items())
    )
    intents = ", ".join(policy.allowed_intents) or "none"
    seen = f"approval {policy.approval}{groups}; at most {plural(policy.max_hosts, 'host')}; intents {intents}"
    if policy.approval == "never":
        advice = "With approval 'never' nobody is asked before a change. Set it for groups, not for everything."
        return Finding("warn", "policy", seen, advice)
    return Finding("ok", "policy", seen)


def _check_passkeys(config: Config) -> Iterator[Finding]:
    file, wanted = PasskeyFile(config.passkeys_file), config.policy.wants_passkeys
    try:
        keys = file.load()
    except IntendantError as error:
        yield Finding("fail", "passkeys", str(error), "Mend the file, or take it back from git.")
        return
    if not keys:
        if wanted:
            seen = f"none in {file.path}, and the policy has plans that only a passkey approves"
            yield Finding("fail", "passkeys", seen, "Enroll one: intendant enroll NAME")
        return
    seen = f"{', '.join(key.name for key in keys)} in {file.path}"
    if wanted and (changeable := find_changeable(file.path)):
        advice = (
            "A program of this account could let in a key of its own: look at changes of the file in git, or keep it "
            'where only root writes (passkeys = "/etc/intendant/passkeys.json") and enroll with sudo.'
        )
        yield Finding("warn", "passkeys", f"{seen}; this account can change {changeable}", advice)
    else:
        yield Finding("ok", "passkeys", seen)
