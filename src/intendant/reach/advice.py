"""What mends a host that cannot be reached: sentences and exact commands. Pure."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from intendant.reach.reading import Reading
from intendant.reach.script import Report, Space
from intendant.reach.settings import HostSettings, SshSettings, config_words, pair_words
from intendant.redaction import MASK, Redactor

_DEFAULT_KEY = "~/.ssh/id_ed25519"
_INSTALLERS = {
    "debian": "apt-get install -y python3",
    "ubuntu": "apt-get install -y python3",
    "fedora": "dnf install -y python3",
    "rhel": "dnf install -y python3",
    "suse": "zypper install -y python3",
    "alpine": "apk add python3",
    "arch": "pacman -S --noconfirm python",
}


@dataclass(frozen=True)
class LocalKeys:
    """What lies on this machine: private keys that exist, the public half of each ("" where it has no file).

    ``has_folder``: there is a ~/.ssh, without which ssh-copy-id does not work.
    """

    files: tuple[tuple[str, str], ...] = ()
    has_folder: bool = True


@dataclass(frozen=True)
class Target:
    """What advice is about: a host or, with ``is_jump``, a jump host on the way to it.

    ``login`` and ``port`` (None: ssh knows it) are what a person writes to get there, ``ssh`` what OpenSSH makes of it.
    ``folder`` is where Ansible runs: names of files in the settings may be relative to it.
    """

    settings: HostSettings
    ssh: SshSettings
    login: str
    port: int | None
    is_jump: bool = False
    jumps_before: tuple[str, ...] = ()
    folder: Path = Path()


def ssh_command(target: Target, *extra: str) -> str:
    """A person's own ssh to the same host, without the remote command."""
    words = ["ssh", *extra, *_shown_words(target)]
    return _join([*words, *_port_words(target), target.login])


def _asking_command(target: Target) -> str:
    """The same, asking before it keeps a key."""
    words = [
        word for word in pair_words(_shown_words(target)) if not word[-1].lower().startswith("stricthostkeychecking")
    ]
    flat = [part for word in words for part in word]
    return _join(["ssh", "-o", "StrictHostKeyChecking=ask", *flat, *_port_words(target), target.login])


def accept_key(target: Target, reading: Reading, known: Sequence[str]) -> str:
    """How an unknown key is compared and then accepted: ssh itself compares it with what the person types."""
    kind = reading.host_key.partition(" ")[0].lower().replace("-", "_") or "*"
    others = f" Known of this name are only: {', '.join(known)}." if known else ""
    return (
        f"On the host's own console: ssh-keygen -lf /etc/ssh/ssh_host_{kind}_key.pub. Only when it shows the same "
        f"fingerprint: {_asking_command(target)} true, "
        f"and answer its question with the fingerprint.{others}"
    )


def replace_key(target: Target, reading: Reading) -> str:
    """What to do about a changed key, which is never accepted here."""
    place = f" -f {shlex.quote(reading.known_file)}" if reading.known_file else ""
    name = shlex.quote(reading.key_name or target.ssh.hostname)
    return (
        "Someone may be in between: do not log in. Ask whoever runs the host whether it was reinstalled, and compare "
        "the presented fingerprint with the one on its own console (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub). "
        f"Only if it is the host's: ssh-keygen{place} -R {name}, then check again and accept the key as an unknown one."
    )


def install_key(target: Target, reading: Reading, keys: LocalKeys) -> str:
    """How the login gets a key: made where there is none, and installed on the host."""
    if shut := [name for name in reading.open_keys if name in dict(keys.files)]:
        return f"Others can read the private key, so that ssh ignores it: chmod 600 {shlex.join(shut)}"
    locked = [key for key in reading.offered if key.accepted]
    if locked and (reading.agent_refused or locked[-1].source == "agent"):
        return "The host accepts the key but the agent did not sign with it: unlock the agent, or confirm its use."
    if locked:
        return (
            "The host accepts the key but it has a passphrase and is in no agent: "
            f'eval "$(ssh-agent)" && ssh-add {shlex.quote(locked[-1].name)}, and start Intendant from there.'
        )
    private, public = _choose_key(reading, keys)
    wanted = target.settings.private_key_file if not target.is_jump else None
    steps = ""
    if wanted and not any(Path(wanted).expanduser() == Path(name) for name, _ in keys.files):
        private, public = wanted, f"{wanted}.pub"
        made = _join(["ssh-keygen", "-t", "ed25519", "-f", wanted])
        missing = f"The inventory's key {wanted} does not exist. Correct ansible_ssh_private_key_file"
        steps = f"{missing}, or make it: {made}, then: "
    elif not private and not any(key.source == "agent" for key in reading.offered):
        private = _DEFAULT_KEY
        public = f"{private}.pub"
        steps = f"There is no key yet. Make one: {_join(['ssh-keygen', '-t', 'ed25519', '-f', private])}, then: "
    elif private and not public:
        public = f"{private}.pub"
        steps = f"ssh-keygen -y -f {shlex.quote(private)} > {shlex.quote(public)}, then: "
    if not {"password", "keyboard-interactive"} & set(reading.methods):
        source = f"the line of {public}" if public else "the line that ssh-add -L shows"
        return (
            f"{steps}The host takes no password, so that the key has to be installed by another way (its console, "
            f"another user): append {source} to ~{target.ssh.user}/.ssh/authorized_keys on the host."
        )
    words = ["ssh-copy-id"]
    if public:
        words += ["-i", public]
    words += [*_port_words(target), *_copy_words(_shown_words(target)), target.login]
    folder = "" if keys.has_folder or "~/.ssh" in steps else "mkdir -m 700 ~/.ssh && "
    return f"{steps}{folder}{_join(words)}"


def fewer_keys() -> str:
    """When the host gives up before the right key was offered."""
    return (
        "Name the one key: ansible_ssh_private_key_file in the inventory, and "
        "ansible_ssh_common_args: '-o IdentitiesOnly=yes'."
    )


def change_shell(target: Target) -> str:
    """When the login shell runs no commands."""
    user = shlex.quote(target.ssh.user)
    return f"On the host, as root: usermod --shell /bin/bash {user} (or set another ansible_user)."


def install_python(target: Target, report: Report | None) -> str:
    """How Python comes to the host, which Intendant cannot do: its modules need it."""
    system = report.system if report else ()
    install = next((_INSTALLERS[name] for name in system if name in _INSTALLERS), "")
    if not install:
        return "Install Python 3 with the host's package manager, or set ansible_python_interpreter."
    if not report or report.user != "root":
        install = f"sudo {install}"
    if not target.settings.by_ssh or target.settings.secret:
        return f"On the host: {install}"
    return f"{ssh_command(target)} {install}"


def allow_sudo(target: Target, report: Report) -> str:
    """How the login may become root."""
    user = shlex.quote(report.user or target.ssh.user)
    rule = f"'{user} ALL=(ALL) NOPASSWD: ALL'"
    return (
        f"With a password: set ansible_become_password in a vaulted variable. Without: on the host, as root: "
        f"echo {rule} > /etc/sudoers.d/{user} && chmod 440 /etc/sudoers.d/{user}. "
        "If the host needs no root at all: ansible_become: false."
    )


def install_sudo() -> str:
    """When there is no sudo."""
    return (
        "On the host, as root: apt-get install sudo (or dnf, apk), and give the user a rule; or log in as root "
        "(ansible_user: root), or set ansible_become_method to what the host has, such as doas or su."
    )


def free_space(space: Space) -> str:
    """What takes the room."""
    return f"On the host: du -xh {shlex.quote(space.place)} | sort -h | tail shows what takes the room."


def set_clock() -> str:
    """How the clock is kept right."""
    return "On the host: timedatectl set-ntp true. Or plan the intent time_sync."


def _port_words(target: Target) -> list[str]:
    return ["-p", str(target.port)] if target.port else []


def _shown_words(target: Target) -> list[str]:
    words = target.settings.shown_words()
    if target.is_jump:
        return [*config_words(words), *(["-J", ",".join(target.jumps_before)] if target.jumps_before else [])]
    key = target.settings.private_key_file
    return [_mask(_absolute(word, target.folder)) for word in [*(["-i", key] if key else []), *words]]


def _absolute(word: str, folder: Path) -> str:
    """The names of known_hosts files so that they mean the same wherever the command is typed."""
    name, equals, files = word.partition("=")
    if name.lower() != "userknownhostsfile" or not equals:
        return word
    return "=".join([name, " ".join(str(folder / file) if file[0] not in "~%/" else file for file in files.split())])


def _mask(word: str) -> str:
    """A word of a command without the secrets that people put there: of a proxy, most of all."""
    word = re.sub(r"(\bsshpass\s+-p\s*)(\S+)", rf"\1{MASK}", word)
    word = re.sub(r"(?i)(--?(?:[\w-]*(?:pass|password|secret|token|key))[= ])(?!\S*/)(\S+)", rf"\1{MASK}", word)
    return Redactor().redact(word)


def _copy_words(words: Sequence[str]) -> list[str]:
    """The part that ssh-copy-id understands: ``-o`` and ``-F``; ``-J`` in the form of an option."""
    kept: list[str] = []
    given = iter(words)
    for word in given:
        if word in ("-o", "-F"):
            kept += [word, next(given, "")]
        elif word == "-J":
            kept += ["-o", f"ProxyJump={next(given, '')}"]
        elif word == "-i":
            next(given, "")
        elif word.startswith(("-o", "-F")):
            kept += [word[:2], word[2:]]
    return kept


def _choose_key(reading: Reading, keys: LocalKeys) -> tuple[str, str]:
    """Private and public file of the key to install: the first that was offered, else the first that exists."""
    files = dict(keys.files)
    offered = [key.name for key in reading.offered if key.name in files]
    for private in [*offered, *files]:
        return private, files[private]
    return "", ""


def _join(words: Sequence[str]) -> str:
    """As ``shlex.join``, but a leading ``~/`` stays what the shell expands."""
    return " ".join(f"~/{shlex.quote(word[2:])}" if word.startswith("~/") else shlex.quote(word) for word in words)
