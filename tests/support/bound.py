"""A project in which everything that can decide an outcome decides something, and ways to move each of it."""

import json
import shutil
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

from support.projects import Project, make_project

STATE = "state"
NOTES = "/var/tmp/bound"
_PASSWORD = "of-the-test-vault"
_STAMP = """\
from ansible.module_utils.basic import AnsibleModule

module = AnsibleModule({"word": {"type": "str"}}, supports_check_mode=True)
module.exit_json(changed=False, word=module.params["word"])
"""
_TASKS = """\
- name: Add the epilogue
  ansible.builtin.include_role:
    name: epilogue
- name: Stamp it
  stamp:
    word: one
- name: Write the note
  ansible.builtin.template:
    src: note.j2
    dest: "{{ note_path }}-{{ inventory_hostname }}"
    mode: "0600"
"""
_TEMPLATE = "{{ note_colour }} {{ note_size }} {{ note_shape }} {{ note_weight }} {{ note_secret | length }}\n"
SETTINGS = 'recheck_after_seconds = 1800\n[policy]\napproval = "never"\n'


@dataclass(frozen=True)
class Bound(Project):
    """A project whose role ``note`` was planned for group ``web`` (web1, web2), with ``spare`` outside of it."""

    plan_id: str = ""

    def append(self, name: str, text: str) -> None:
        path = self.directory / name
        self.write(name, path.read_text(encoding="utf-8") + text)

    def set_members(self, *hosts: str) -> None:
        """Who is in the group ``web``; the hosts' variables stay."""
        known = json.loads((self.directory / "inventory/hosts.yml").read_text(encoding="utf-8"))["all"]["hosts"]
        self.set_inventory(known, {"web": hosts})

    def set_secret(self, value: str) -> None:
        """Encrypt the vaulted variable anew."""
        cipher = VaultLib().encrypt(value, VaultSecret(_PASSWORD.encode())).decode()
        indented = "".join(f"  {line}\n" for line in cipher.splitlines())
        self.write("inventory/group_vars/web/vault.yml", f"note_secret: !vault |\n{indented}")

    def alter_database(self, statement: str, *values: str) -> None:
        with sqlite3.connect(self.directory / STATE / "intendant.db") as connection:
            connection.execute(statement, values)
        connection.close()

    @property
    def snapshot(self) -> Path:
        return self.directory / STATE / "plans" / self.plan_id


def make_bound(directory: Path, variables: Mapping[str, Any]) -> Bound:
    """The project before it is planned; all three hosts are reached by the same variables."""
    make_project(directory, {}, settings=SETTINGS)
    project = Bound(directory)
    project.set_inventory(dict.fromkeys(("web1", "web2", "spare"), variables), {"web": ["web1", "web2"]})
    project.write("ansible.cfg", "[defaults]\ninventory = inventory\nvault_password_file = vault.password\n")
    project.write("vault.password", _PASSWORD)
    project.write_role("note", _TASKS, {"note_path": {"type": "str"}}, defaults=f"note_path: {NOTES}\n")
    project.write("roles/note/templates/note.j2", _TEMPLATE)
    project.write("roles/note/meta/main.yml", yaml.safe_dump({"dependencies": [{"role": "groundwork"}]}))
    project.write("roles/groundwork/tasks/main.yml", "- name: Stand\n  ansible.builtin.meta: noop\n")
    project.write("roles/epilogue/tasks/main.yml", "- name: Close\n  ansible.builtin.meta: noop\n")
    project.write("library/stamp.py", _STAMP)
    project.write("inventory/group_vars/web/plain.yml", "note_colour: red\n")
    project.write("inventory/host_vars/web1.yml", "note_shape: round\n")
    project.write("inventory/host_vars/web2.yml", "note_shape: square\n")
    project.write("group_vars/web.yml", "note_size: big\n")
    project.write("host_vars/web1.yml", "note_weight: light\n")
    project.write("host_vars/web2.yml", "note_weight: light\n")
    project.set_secret("canary-word")
    return project


def copy_bound(original: Bound, directory: Path) -> Bound:
    """The planned project again elsewhere, with its state: to be moved without spoiling the original."""
    shutil.copytree(original.directory, directory)
    return Bound(directory, original.plan_id)
