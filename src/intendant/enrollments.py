"""What people and models may say of a host for the inventory. Pure, no I/O.

What is written there decides what Ansible does on this machine too, so that only known forms pass: names, addresses,
and variables that are data.
"""

import ipaddress
import re
from collections.abc import Mapping
from typing import NamedTuple

from pydantic import JsonValue

from intendant.cleaning import sanitize
from intendant.errors import InputError
from intendant.redaction import Redactor

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}")
_GROUP = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_HOST = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}"
_ADDRESS = re.compile(rf"{_HOST}|[0-9A-Fa-f:]+(%[A-Za-z0-9]+)?")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.@\\-]{0,99}\$?")
_HOP = rf"([A-Za-z_][A-Za-z0-9_.-]*@)?({_HOST}|\[[0-9A-Fa-f:]+\])(:[0-9]{{1,5}})?"
_JUMP = re.compile(rf"{_HOP}(,{_HOP}){{0,7}}")
_KEY = re.compile(r"[A-Za-z0-9_./~@+ -]{1,1000}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_PYTHON = re.compile(r"auto(_silent)?|/([A-Za-z0-9_.-]+/)*python[0-9.]*")
_ACCOUNT = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
#: Ansible's own variables that may be set, and their forms. All others may run commands on this machine, such as
#: ansible_ssh_common_args, or choose what does, such as ansible_connection.
_ANSIBLE: Mapping[str, re.Pattern[str]] = {
    "ansible_become": re.compile("True|False"),
    "ansible_become_method": re.compile("sudo|su|doas"),
    "ansible_become_user": _ACCOUNT,
    "ansible_python_interpreter": _PYTHON,
    "ansible_timeout": re.compile("[1-9][0-9]{0,2}"),
}
_FIELDS: Mapping[str, str] = {
    "ansible_host": "address",
    "ansible_user": "user",
    "ansible_port": "port",
    "ansible_ssh_private_key_file": "key",
    "ansible_ssh_common_args": "jump",
}
#: words that Ansible sets or reads in a meaning of its own
_RESERVED = frozenset(
    "environment from_var group_names groups hosts hostvars inventory_dir inventory_file inventory_hostname "
    "inventory_hostname_short name omit play_hosts playbook_dir role_name vars".split()
)
_SECRET = re.compile(
    r"(^|_)pass(code)?\d*$|passw|passphrase|secret|token|credential|(private|api|access|encryption)_?key", re.I
)
_TEMPLATE = re.compile(r"\{\{|\{%|\{#")
_MOST_VARIABLES, _MOST_NAMES, _MOST_TEXT, _MOST_DEPTH, _MOST_ITEMS = 50, 20, 2_000, 5, 100


class HostRequest(NamedTuple):
    """What is said of a host; empty and 0 stand for nothing. ``leave`` and None as a variable are for a known host."""

    name: str
    address: str = ""
    user: str = ""
    port: int = 0
    key: str = ""
    jump: str = ""
    groups: tuple[str, ...] = ()
    leave: tuple[str, ...] = ()
    variables: Mapping[str, JsonValue] = {}

    def list_params(self) -> dict[str, JsonValue]:
        """What was said, by its names."""
        said = {name: value for name, value in self._asdict().items() if value}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in said.items()}


def check_host(said: HostRequest) -> None:
    """Refuse what Ansible or ssh would read as something else, or what has no place in an inventory.

    Raises:
        InputError: names the value and what is allowed.
    """
    for field, value, pattern, allowed in (
        ("name (NAME)", said.name, _NAME, "letters, digits, '_', '-' and '.'"),
        ("address (ADDRESS)", said.address, _ADDRESS, "a host name, an IPv4 or an IPv6 address"),
        ("user (--user)", said.user, _USER, "the name of an account"),
        ("key (--key)", said.key, _KEY, "the path of a private key, of letters, digits, spaces and ._/~@+-"),
        ("jump (--jump)", said.jump, _JUMP, "[USER@]HOST[:PORT], several with commas"),
        *(("groups (--group)", group, _GROUP, "letters, digits and '_'") for group in (*said.groups, *said.leave)),
    ):
        if (value or field.startswith(("name", "groups"))) and not pattern.fullmatch(value):
            raise InputError(f"{field}: {value[:80]!r} is not allowed here. It is {allowed}.")
    if not 0 <= said.port <= 65535:
        raise InputError(f"port (--port): is {said.port}; 1 to 65535 are allowed.")
    if said.name in ("all", "ungrouped") or {"all", "ungrouped"} & {*said.groups, *said.leave}:
        raise InputError("name, groups: 'all' and 'ungrouped' are Ansible's own.")
    if said.name == "localhost":
        raise InputError("name: 'localhost' is the machine that Intendant runs on. A person adds it to the file.")
    if both := {*said.groups} & {*said.leave}:
        raise InputError(f"groups, leave: '{min(both)}' is in both.")
    if len(said.groups) + len(said.leave) > _MOST_NAMES:
        raise InputError(f"groups: at most {_MOST_NAMES} at once.")
    _check_variables(said.variables)


def is_own_address(address: str) -> bool:
    """Whether an address is surely that of the machine that Intendant runs on."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def _check_variables(variables: Mapping[str, JsonValue]) -> None:
    if len(variables) > _MOST_VARIABLES:
        raise InputError(f"variables: at most {_MOST_VARIABLES} at once.")
    for name, value in variables.items():
        field = f"variables (--var): '{name[:80]}'"
        if not _VARIABLE.fullmatch(name) or name in _RESERVED or name.startswith("intendant_"):
            raise InputError(
                f"{field} is no name that a variable may have: letters, digits and '_', no word of Ansible's."
            )
        if name in _FIELDS:
            raise InputError(f"{field} is said with {_FIELDS[name]}.")
        if _SECRET.search(name):
            raise InputError(f"{field} looks like a secret. {_VAULT}")
        if name.startswith("ansible_"):
            _check_own(field, name, value)
        else:
            _check_data(field, value, 0)


_VAULT = "Secrets never come this way: a person puts them into a vault (ansible-vault create inventory/host_vars/…)."


def _check_own(field: str, name: str, value: JsonValue) -> None:
    """One of Ansible's own variables."""
    if (form := _ANSIBLE.get(name)) is None:
        raise InputError(
            f"{field} decides how Ansible itself works, on this machine too. Allowed of Ansible's own: "
            f"{', '.join(_ANSIBLE)}. Others are written into the inventory by a person."
        )
    is_flag = name == "ansible_become"
    fits = isinstance(value, bool) if is_flag else isinstance(value, str | int) and not isinstance(value, bool)
    if value is not None and not (fits and form.fullmatch(str(value))):
        allowed = "true or false" if is_flag else f"of the form {form.pattern}"
        raise InputError(f"{field}: {str(value)[:80]!r} is not allowed. It is {allowed}.")


def _check_data(field: str, value: JsonValue, depth: int) -> None:
    """Any JSON of bounded size, whose text is no template, no secret, and of one visible line."""
    if depth > _MOST_DEPTH or (isinstance(value, list | dict) and len(value) > _MOST_ITEMS):
        raise InputError(f"{field} is too large: at most {_MOST_DEPTH} levels, and {_MOST_ITEMS} items in each.")
    if isinstance(value, dict):
        for key, item in value.items():
            _check_text(field, key)
            if _SECRET.search(key):
                raise InputError(f"{field}: '{key[:80]}' looks like a secret. {_VAULT}")
            _check_data(field, item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check_data(field, item, depth + 1)
    elif isinstance(value, str):
        _check_text(field, value)
    elif isinstance(value, float) and value - value != 0:
        raise InputError(f"{field}: is no finite number.")


def _check_text(field: str, text: str) -> None:
    if _TEMPLATE.search(text):
        raise InputError(f"{field} holds a template ({{{{ … }}}}). What is sent is data; a person writes templates.")
    if len(text) > _MOST_TEXT or "\n" in text or sanitize(text) != text:
        raise InputError(f"{field}: text has one line of at most {_MOST_TEXT} visible characters.")
    if Redactor().redact(text) != text:
        raise InputError(f"{field} looks like a secret. {_VAULT}")
