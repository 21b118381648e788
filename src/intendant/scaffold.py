"""`intendant init`: the files of a new project. Never overwrites one."""

from pathlib import Path
from typing import NamedTuple

from intendant.errors import ProjectError

_SETTINGS = """\
# Settings of Intendant for this project. Everything here is optional; what is commented out is the default.

# plan_ttl_seconds = 1800        # a plan can be applied for this long
# recheck_after_seconds = 120    # apply predicts again when the plan is older than this
# forks = 20                     # hosts worked on at the same time
# upload_dir = "files"           # files that plans send to hosts come from here
# download_dir = "downloads"     # files of hosts are saved here
# max_file_bytes = 104857600     # of one file, either way
# state_dir = "/some/folder"     # plans, runs and history; default: a folder of your own, see 'intendant doctor'

[policy]
# Who approves a plan: "always" a person; "destructive": a person where something is deleted or could not be
# predicted, else this file; "never": this file approves everything.
approval = "always"
# max_hosts = 50                 # most hosts of one plan
# allowed_intents = ["*"]        # names of intents; wildcards allowed
# from_var = []                  # inventory and vault variables that a param may name, such as ["vault_*"]

# A group of the inventory may differ. Where a host is in several groups, the strictest approval holds.
# [policy.groups.lab]
# approval = "never"
# allowed_intents = ["python", "packages"]
"""

_ANSIBLE_CFG = """\
[defaults]
inventory = inventory
roles_path = roles
interpreter_python = auto_silent

[ssh_connection]
pipelining = true
# Only hosts are reached whose keys are in this folder's known_hosts, which 'intendant hosts add' writes, or in yours.
# What the inventory says of them (ansible_ssh_common_args) comes first.
ssh_extra_args = -o StrictHostKeyChecking=yes -o UserKnownHostsFile="known_hosts ~/.ssh/known_hosts"
sftp_extra_args = -o StrictHostKeyChecking=yes -o UserKnownHostsFile="known_hosts ~/.ssh/known_hosts"
scp_extra_args = -o StrictHostKeyChecking=yes -o UserKnownHostsFile="known_hosts ~/.ssh/known_hosts"
"""

_INVENTORY = """\
# The hosts that can be configured. Everything that Ansible knows about inventories works here:
# https://docs.ansible.com/ansible/latest/inventory_guide/intro_inventory.html
#
# all:
#   children:
#     web:
#       hosts:
#         web1:
#           ansible_host: 192.0.2.11   # where it is, when its name does not say it
#         web2:
#           ansible_host: 192.0.2.12
#       vars:
#         ansible_user: admin          # who logs in by SSH
#         ansible_become: true         # and becomes root with sudo
#     lab:
#       hosts:
#         localhost:
#           ansible_connection: local  # this machine
#
# Secrets belong into a vault: ansible-vault create inventory/group_vars/web/vault.yml
all:
  hosts: {}
"""

_GITIGNORE = """\
*.retry
downloads/
.vault_pass*
"""

_PLAYBOOKS_README = """\
Playbooks of this project, to be run with ansible-playbook. Intendant itself needs none.
"""

_ROLES_README = """\
Roles of this project. Every role with a meta/argument_specs.yml is an intent: see 'intendant intents'.
"""

_FILES = {
    "intendant.toml": _SETTINGS,
    ".gitignore": _GITIGNORE,
    "ansible.cfg": _ANSIBLE_CFG,
    "inventory/hosts.yml": _INVENTORY,
    "playbooks/README.md": _PLAYBOOKS_README,
    "roles/README.md": _ROLES_README,
}
#: where an ansible.cfg says already what lies where.
_FILES_OF_ANSIBLE = ("ansible.cfg", "inventory/hosts.yml", "playbooks/README.md", "roles/README.md")


class ScaffoldResult(NamedTuple):
    """Paths relative to the project, and what to do next."""

    created: tuple[str, ...]
    kept: tuple[str, ...]
    advice: str


def init_project(folder: Path) -> ScaffoldResult:
    """Write the files of a project into ``folder``, which is made when missing; existing files stay as they are.

    An Ansible repository (a folder with an ansible.cfg) gets only what Intendant adds.

    Raises:
        ProjectError: the folder or a file in it cannot be written.
    """
    is_ansible = (folder / "ansible.cfg").exists()
    created, kept = [], []
    for name, text in _FILES.items():
        if (folder / name).exists() or (folder / name).is_symlink():
            kept.append(name)
        elif not (is_ansible and name in _FILES_OF_ANSIBLE):
            _write_new(folder / name, text)
            created.append(name)
    if is_ansible:
        advice = "This is an Ansible project: its inventory, roles, collections and vault are used as they are."
    else:
        advice = "Next: name your hosts in inventory/hosts.yml."
    return ScaffoldResult(tuple(created), tuple(kept), f"{advice} Then run: intendant doctor")


def _write_new(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise ProjectError(f"{path} cannot be written: {error.strerror}.") from error
