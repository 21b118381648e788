"""How a host is reached: by Ansible's own resolution of variables, and by OpenSSH's own of its configuration."""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

#: what Ansible gives to ssh where nothing else is set
DEFAULT_SSH_ARGS = "-C -o ControlMaster=auto -o ControlPersist=60s"
_NO_PASSWORDS = {
    "KbdInteractiveAuthentication": "no",
    "PreferredAuthentications": "gssapi-with-mic,gssapi-keyex,hostbased,publickey",
    "PasswordAuthentication": "no",
}
_QUIET_OR_LOUD = frozenset({"-q", "-qq", "-v", "-vv", "-vvv"})


class HostSettings(BaseModel):
    """What Ansible makes of a host's variables and of its own settings; ``error`` where it cannot. No secrets.

    ``secret`` and ``become_secret`` say that there is a password (or a key that only Ansible has) for the login and for
    becoming root. ``pythons`` are the interpreters that are looked for where ``python`` is ``auto…``.
    """

    model_config = ConfigDict(frozen=True)

    error: str = ""
    connection: str = "ssh"
    host: str = ""
    port: int | None = None
    remote_user: str | None = None
    private_key_file: str | None = None
    ssh_executable: str = "ssh"
    ssh_args: str = ""
    ssh_common_args: str = ""
    ssh_extra_args: str = ""
    timeout: int = 10
    host_key_checking: bool = True
    secret: bool = False
    become: bool = True
    become_method: str = "sudo"
    become_secret: bool = False
    become_user: str = "root"
    become_exe: str = ""
    become_flags: str = ""
    remote_tmp: str = ""
    python: str = "auto"
    pythons: tuple[str, ...] = ()
    oldest_python: tuple[int, int] = (3, 8)

    @property
    def by_ssh(self) -> bool:
        """OpenSSH is asked; everything else only Ansible can reach."""
        return self.connection == "ssh"

    @property
    def sudo_by_script(self) -> bool:
        """Becoming root is plain sudo without a password, which can be tried in the same login."""
        return self.become and self.become_method == "sudo" and not self.become_secret

    @property
    def become_by_ansible(self) -> bool:
        """Becoming root needs a password or another method than sudo: only Ansible can try it."""
        return self.become and not self.sudo_by_script

    def ssh_words(self) -> list[str]:
        """The words that Ansible gives to ssh, in its order (of two values for one option, ssh takes the first)."""
        words = shlex.split(self.ssh_args)
        if not self.host_key_checking:
            words += ["-o", "StrictHostKeyChecking=no"]
        if self.port:
            words += ["-o", f"Port={self.port}"]
        if self.private_key_file:
            words += ["-o", f'IdentityFile="{Path(self.private_key_file).expanduser()}"']
        if not self.secret:
            words += [word for name, value in _NO_PASSWORDS.items() for word in ("-o", f"{name}={value}")]
        if self.remote_user:
            words += ["-o", f'User="{self.remote_user}"']
        words += shlex.split(self.ssh_common_args) + shlex.split(self.ssh_extra_args)
        return [word for word in words if word not in _QUIET_OR_LOUD]

    def shown_words(self) -> list[str]:
        """The part of these words that a person's own command to the same host needs."""
        words = shlex.split(self.ssh_args) + shlex.split(self.ssh_common_args) + shlex.split(self.ssh_extra_args)
        kept: list[str] = []
        for pair in pair_words(words):
            # A shared connection is Ansible's own affair, and compression no person's.
            if pair[0] != "-C" and not pair[-1].lower().removeprefix("-o").startswith("control"):
                kept += pair
        return kept


@dataclass(frozen=True)
class SshSettings:
    """What ``ssh -G`` says of one host (or jump host): after ~/.ssh/config, Match and the like."""

    hostname: str
    port: int
    user: str
    jumps: tuple[str, ...]
    has_proxy_command: bool
    checks_keys: bool
    key_name: str
    identity_files: tuple[str, ...]
    known_hosts: tuple[str, ...]
    exchanges: tuple[str, ...] = ()

    @property
    def endpoint(self) -> str:
        """Address and port, as one writes them for ``-W``."""
        return f"[{self.hostname}]:{self.port}"

    @property
    def login(self) -> str:
        """``user@address``."""
        return f"{self.user}@{self.hostname}"


def read_ssh_settings(printed: str) -> SshSettings:
    """Parse the output of ``ssh -G``."""
    values: dict[str, list[str]] = {}
    for line in printed.splitlines():
        name, _, value = line.partition(" ")
        values.setdefault(name.lower(), []).append(value.strip())

    def first(name: str, default: str = "") -> str:
        value = values.get(name, [default])[0]
        return default if value == "none" else value

    port = first("port", "22")
    return SshSettings(
        hostname=first("hostname"),
        port=int(port) if port.isdigit() else 22,
        user=first("user"),
        jumps=tuple(hop.removeprefix("ssh://") for hop in first("proxyjump").split(",") if hop),
        has_proxy_command=bool(first("proxycommand")),
        checks_keys=first("stricthostkeychecking", "ask") not in ("no", "false", "off"),
        key_name=first("hostkeyalias"),
        identity_files=tuple(str(Path(name).expanduser()) for name in values.get("identityfile", [])),
        exchanges=tuple(first("kexalgorithms").split(",")),
        known_hosts=tuple(shlex.split(first("userknownhostsfile")) + shlex.split(first("globalknownhostsfile"))),
    )


def pair_words(words: Iterable[str]) -> list[tuple[str, ...]]:
    """Each ``-o`` together with its value."""
    paired: list[tuple[str, ...]] = []
    given = iter(words)
    for word in given:
        paired.append((word, next(given, "")) if word == "-o" else (word,))
    return paired


def config_words(words: list[str]) -> list[str]:
    """The ``-F FILE`` among the words, which ssh hands on to jump hosts as its only option."""
    for position, word in enumerate(words):
        if word == "-F" and position + 1 < len(words):
            return ["-F", words[position + 1]]
        if word.startswith("-F") and len(word) > 2:
            return ["-F", word[2:]]
    return []
