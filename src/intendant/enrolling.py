"""Adding and removing hosts of the inventory's file, with the host's key for known_hosts.

Prepared first and shown to a person; nothing is written before that person has said so.
"""

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from intendant.config import Config
from intendant.errors import InputError, IntendantError, ProjectError, RefusedError
from intendant.hostsfile import add_host, find_hosts_file, remove_host, replace_text
from intendant.inventory import Inventory
from intendant.reach.meeting import Meeting, meet_host
from intendant.reach.settings import DEFAULT_SSH_ARGS, HostSettings

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_GROUP = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ADDRESS = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*|[0-9A-Fa-f:]+(%[A-Za-z0-9]+)?")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.@\\-]*\$?")
_JUMP = re.compile(r"([^\s,@:'\"\\-][^\s,@:'\"\\]*@)?[A-Za-z0-9_\[][A-Za-z0-9_.:\[\]-]*(,\S+)?")


class NewHost(NamedTuple):
    """What a person says of a host; empty and 0 stand for nothing."""

    name: str
    address: str
    user: str = ""
    port: int = 0
    key: str = ""
    jump: str = ""
    group: str = ""


@dataclass(frozen=True)
class FileChange:
    """A file as it is and as it will be."""

    path: Path
    before: str
    after: str


@dataclass(frozen=True)
class Enrollment:
    """What adding or removing a host will write.

    ``fingerprint`` is what the host presents (empty when it is removed); ``is_new`` says that this machine does not
    know the key yet, so that a person has to compare it.
    """

    host: str
    changes: tuple[FileChange, ...]
    fingerprint: str = ""
    is_new: bool = False


class Enroller:
    """Prepares and writes such changes."""

    def __init__(self, config: Config, inventory: Inventory) -> None:
        self._config = config
        self._inventory = inventory

    def prepare_addition(self, new: NewHost) -> Enrollment:
        """Meet the host and say what would be written.

        Raises:
            InputError: a value is wrong, the name is taken, or the host does not answer as SSH.
            RefusedError: the host presents another key than the known one.
        """
        _check_values(new)
        view = self._inventory.read()
        if new.name in view.hosts or new.name in view.groups:
            raise InputError(f"NAME: the inventory has '{new.name}' already. Choose another, or remove that one first.")
        if new.group in view.hosts:
            raise InputError(f"--group: '{new.group}' is a host of the inventory.")
        file = find_hosts_file(self._config)
        text = file.read_text(encoding="utf-8")
        variables = self._variables_of(new)
        changes = [FileChange(file, text, add_host(text, new.name, variables, new.group))]
        meeting = self._meet(new)
        if meeting.line:
            known = self._known_file(meeting)
            before = known.read_text(encoding="utf-8") if known.exists() else ""
            start = before if not before or before.endswith("\n") else f"{before}\n"
            changes.append(FileChange(known, before, start + meeting.line))
        return Enrollment(new.name, tuple(changes), meeting.fingerprint, is_new=bool(meeting.line))

    def prepare_removal(self, name: str) -> Enrollment:
        """Say what taking the host out of the inventory would write; keys in known_hosts stay.

        Raises:
            InputError: there is no such host in the file.
        """
        if name not in self._inventory.read(name).hosts:
            raise InputError(f"NAME: '{name}' is no host but a group or a pattern. Name one host.")
        file = find_hosts_file(self._config)
        text = file.read_text(encoding="utf-8")
        return Enrollment(name, (FileChange(file, text, remove_host(text, name)),))

    def commit(self, enrollment: Enrollment) -> None:
        """Write it; the inventory is as it was when Ansible cannot read the new one.

        Raises:
            ProjectError: a file is another by now, or cannot be written, or would not be an inventory any more.
        """
        inventory, *others = enrollment.changes
        replace_text(inventory.path, inventory.before, inventory.after)
        try:
            self._inventory.read()
        except IntendantError as error:
            replace_text(inventory.path, inventory.after, inventory.before)
            raise ProjectError(f"{error} The inventory's file is as it was.") from error
        for change in others:
            replace_text(change.path, change.before, change.after)

    def _variables_of(self, new: NewHost) -> Mapping[str, object]:
        variables: dict[str, object] = {}
        if new.address != new.name:
            variables["ansible_host"] = new.address
        if new.user:
            variables["ansible_user"] = new.user
        if new.port:
            variables["ansible_port"] = new.port
        if new.key:
            variables["ansible_ssh_private_key_file"] = new.key
        if new.jump:
            variables["ansible_ssh_common_args"] = self._common_args(new)
        return variables

    def _common_args(self, new: NewHost) -> str:
        """A host's own arguments take the place of those of ansible.cfg, so that these are in them."""
        common = self._read("ssh_common_args")
        return f"{common} -o ProxyJump={new.jump}".strip() if new.jump else common

    def _read(self, name: str) -> str:
        return self._config.read_ansible_setting("ssh_connection", name) or ""

    def _meet(self, new: NewHost) -> Meeting:
        settings = HostSettings(
            host=new.address,
            port=new.port or None,
            remote_user=new.user or None,
            private_key_file=new.key or None,
            ssh_args=self._read("ssh_args") or DEFAULT_SSH_ARGS,
            ssh_common_args=self._common_args(new),
            ssh_extra_args=self._read("ssh_extra_args"),
        )
        with tempfile.TemporaryDirectory(prefix="intendant-meet-") as folder:
            meeting = meet_host(settings, self._config.project_dir, Path(folder) / "key")
        if meeting.failed is not None:
            kind = RefusedError if meeting.changed else InputError
            raise kind(f"{meeting.failed.problem} {meeting.failed.fix} Nothing was added.")
        return meeting

    def _known_file(self, meeting: Meeting) -> Path:
        """The project's own known_hosts where its settings have ssh read that, else the user's."""
        own = self._config.project_dir / "known_hosts"
        files = [self._config.project_dir / Path(name).expanduser() for name in meeting.known_hosts]
        return own if own in files or not files else files[0]


def _check_values(new: NewHost) -> None:
    """Refuse what Ansible or ssh would read as something else.

    Raises:
        InputError: names the value and what is allowed.
    """
    for field, value, pattern, allowed in (
        ("NAME", new.name, _NAME, "letters, digits, '_', '-' and '.'"),
        ("ADDRESS", new.address, _ADDRESS, "a host name, an IPv4 or an IPv6 address"),
        ("--user", new.user, _USER, "the name of an account"),
        ("--jump", new.jump, _JUMP, "[USER@]HOST[:PORT], several with commas"),
        ("--group", new.group, _GROUP, "letters, digits and '_'"),
    ):
        if (value or field in ("NAME", "ADDRESS")) and not pattern.fullmatch(value):
            raise InputError(f"{field}: {value!r} is not allowed here. It is {allowed}.")
    if new.name in ("all", "ungrouped") or new.group == "ungrouped":
        raise InputError("NAME, --group: 'all' and 'ungrouped' are Ansible's own.")
    if new.key and not Path(new.key).expanduser().is_file():
        raise InputError(f"--key: there is no file {new.key}. Make it: ssh-keygen -t ed25519 -f {new.key}")
