"""Preparing edits of the inventory: a host is added, edited or removed, with its key for known_hosts.

Prepared first and shown to a person; nothing is written before that person has said so.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from pydantic import JsonValue

from intendant.config import Config
from intendant.edits import Edit, HostKey
from intendant.enrollments import HostRequest, check_host, is_own_address
from intendant.errors import InputError, RefusedError
from intendant.hostsfile import add_host, edit_host, remove_host
from intendant.intents import Step
from intendant.inventory import HostEntry, Inventory, InventoryView
from intendant.inventoryfiles import find_files_of, find_hosts_file, list_groups
from intendant.reach.meeting import Meeting, meet_host
from intendant.reach.settings import DEFAULT_SSH_ARGS, HostSettings
from intendant.textfiles import FileChange, read_text


class Enroller:
    """Says what an edit would write; the host is met on the way, and its key kept as it was then."""

    def __init__(self, config: Config, inventory: Inventory) -> None:
        self._config = config
        self._inventory = inventory

    def prepare_addition(self, new: HostRequest) -> Edit:
        """Meet the host and say what would be written.

        Raises:
            InputError: a value is wrong, the name is taken, or the host does not answer as SSH.
            RefusedError: the host presents another key than the known one.
        """
        if not new.address:
            raise InputError("address (ADDRESS): is missing. Give the host's name or IP address.")
        view = self._check(new)
        if new.name in view.hosts or new.name in view.groups:
            raise InputError(
                f"name (NAME): the inventory has '{new.name}' already. Choose another, or edit or remove that one."
            )
        file = find_hosts_file(self._config)
        text = read_text(file)
        first, *others = new.groups or ("",)
        after = add_host(text, new.name, {**self._connection_of(new), **new.variables}, first)
        after = edit_host(after, new.name, join=others)
        files = [FileChange(path=file, before=text, after=after, purpose=f"Add {new.name}")]
        return self._prepare("add_host", new, files, view, self._meet(new, None))

    def prepare_edit(self, said: HostRequest) -> Edit:
        """Say what other groups and variables would write; at another address, port or way the host is met anew.

        Raises:
            InputError: a value is wrong, or there is no such host, group or variable in the files.
            RefusedError: the host presents another key than the known one.
        """
        view = self._check(said)
        if (entry := view.hosts.get(said.name)) is None:
            raise InputError(f"name (NAME): the inventory has no host '{said.name}'. The list of hosts shows them all.")
        file = find_files_of(self._config, said.name)[0]
        text = read_text(file)
        variables = {**self._connection_of(said, is_known=True), **said.variables}
        after = edit_host(text, said.name, variables, join=said.groups, leave=said.leave)
        if after == text:
            raise InputError(f"The inventory says of '{said.name}' already what is asked for. Nothing was changed.")
        files = [FileChange(path=file, before=text, after=after, purpose=f"Edit {said.name}")]
        meeting = self._meet(said, entry) if said.address or said.port or said.jump else None
        return self._prepare("edit_host", said, files, view, meeting)

    def prepare_removal(self, name: str) -> Edit:
        """Say what taking the host out of the inventory would write; keys in known_hosts stay.

        Raises:
            InputError: there is no such host in the files.
        """
        said = HostRequest(name)
        view = self._check(said)
        if name not in view.hosts:
            raise InputError(f"name (NAME): '{name}' is no host of the inventory. Name one host.")
        files = []
        for file in find_files_of(self._config, name):
            text = read_text(file)
            files.append(FileChange(path=file, before=text, after=remove_host(text, name), purpose=f"Remove {name}"))
        return self._prepare("remove_host", said, files, view, None)

    def _check(self, said: HostRequest) -> InventoryView:
        check_host(said)
        if said.key and not Path(said.key).expanduser().is_file():
            raise InputError(f"key (--key): there is no file {said.key}. Make it: ssh-keygen -t ed25519 -f {said.key}")
        view = self._inventory.read()
        if taken := next((group for group in said.groups if group in view.hosts), ""):
            raise InputError(f"groups (--group): '{taken}' is a host of the inventory.")
        return view

    def _prepare(
        self, intent: str, said: HostRequest, files: list[FileChange], view: InventoryView, meeting: Meeting | None
    ) -> Edit:
        known = view.hosts[said.name].groups if said.name in view.hosts else ()
        groups = {*known, *(group for file in files for group in list_groups(file.after, said.name))}
        key = None
        if meeting is not None:
            place = f"{said.address or view.hosts[said.name].address}" + (f" port {said.port}" if said.port else "")
            place += f" through {said.jump}" if said.jump else ""
            key = HostKey(fingerprint=meeting.fingerprint, place=place, is_new=bool(meeting.line))
            if meeting.line:
                files.append(self._trust(meeting, key))
        return Edit(
            step=Step(intent=intent, params=said.list_params()),
            groups=tuple(sorted(groups)),
            files=tuple(files),
            key=key,
            is_own_machine=is_own_address(said.address) and not said.jump,
        )

    def _trust(self, meeting: Meeting, key: HostKey) -> FileChange:
        """The key for the project's own known_hosts where its settings have ssh read that, else for the user's."""
        own = self._config.project_dir / "known_hosts"
        files = [self._config.project_dir / Path(name).expanduser() for name in meeting.known_hosts]
        path = own if own in files or not files else files[0]
        before = read_text(path)
        start = before if not before or before.endswith("\n") else f"{before}\n"
        purpose = f"Trust the key {key.fingerprint} that {key.place} presents"
        return FileChange(path=path, before=before, after=start + meeting.line, purpose=purpose)

    def _connection_of(self, said: HostRequest, *, is_known: bool = False) -> Mapping[str, JsonValue]:
        variables: dict[str, JsonValue] = {}
        if said.address and (is_known or said.address != said.name):
            variables["ansible_host"] = said.address
        if said.user:
            variables["ansible_user"] = said.user
        if said.port:
            variables["ansible_port"] = said.port
        if said.key:
            variables["ansible_ssh_private_key_file"] = said.key
        if said.jump:
            variables["ansible_ssh_common_args"] = self._common_args(said.jump)
        return variables

    def _common_args(self, jump: str) -> str:
        """A host's own arguments take the place of those of ansible.cfg, so that these are in them."""
        common = self._read("ssh_common_args")
        return f"{common} -o ProxyJump={jump}".strip() if jump else common

    def _read(self, name: str) -> str:
        return self._config.read_ansible_setting("ssh_connection", name) or ""

    def _meet(self, said: HostRequest, known: HostEntry | None) -> Meeting:
        """Ask for the key; what was not said is as the inventory has it for a known host."""

        def own(name: str) -> str:
            value = known.variables.get(name) if known else None
            return value if isinstance(value, str) else ""

        common = self._common_args(said.jump) if said.jump else own("ansible_ssh_common_args") or self._common_args("")
        settings = HostSettings(
            host=said.address or (known.address if known else ""),
            port=said.port or (known.port if known else None),
            remote_user=said.user or (known.user if known else "") or None,
            private_key_file=said.key or own("ansible_ssh_private_key_file") or None,
            ssh_args=self._read("ssh_args") or DEFAULT_SSH_ARGS,
            ssh_common_args=common,
            ssh_extra_args=own("ansible_ssh_extra_args") or self._read("ssh_extra_args"),
        )
        with tempfile.TemporaryDirectory(prefix="intendant-meet-") as folder:
            meeting = meet_host(settings, self._config.project_dir, Path(folder) / "key")
        if meeting.failed is not None:
            kind = RefusedError if meeting.changed else InputError
            raise kind(f"{meeting.failed.problem} {meeting.failed.fix} Nothing was added.")
        return meeting
