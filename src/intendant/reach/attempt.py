"""One attempt to log in with OpenSSH, through jump hosts with a log of its own for each."""

import shlex
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from intendant.errors import InputError
from intendant.reach.running import MOST_BYTES, plain_environment, run_bounded
from intendant.reach.settings import HostSettings, SshSettings, config_words, read_ssh_settings

_MOST_JUMPS = 8
_CHEAP_EXCHANGE = "curve25519-sha256"
_SETTINGS_SECONDS = 10
#: for the script, once the host has let us in
_SESSION_SECONDS = 15
_MOST_CONNECT_SECONDS = 10
# Of two values ssh takes the first, so that these win. Nothing is asked, kept, shared or forwarded.
_ALWAYS = {
    "BatchMode": "yes",
    "ConnectionAttempts": "1",
    "ControlMaster": "no",
    "ControlPath": "none",
    "FingerprintHash": "sha256",
    "ForwardAgent": "no",
    "ForwardX11": "no",
    "NumberOfPasswordPrompts": "0",
    "PermitLocalCommand": "no",
    "UpdateHostKeys": "no",
    "VisualHostKey": "no",
}


@dataclass(frozen=True)
class Hop:
    """A host on the way, the last one is the target: how it is named, and OpenSSH's settings of it.

    ``login`` (``user@host``, or ``host``) and ``port`` are as they are written; None: what ssh itself finds.
    """

    name: str
    login: str
    port: int | None
    words: tuple[str, ...]
    ssh: SshSettings


@dataclass(frozen=True)
class Attempt:
    """What ssh printed: one log for each jump host, and for the host itself. ``exit_code`` is None when we ended it.

    ``began`` and ``ended`` are seconds since the epoch.
    """

    jump_logs: tuple[str, ...]
    log: str
    stdout: str
    exit_code: int | None
    began: float
    ended: float


def find_route(settings: HostSettings, folder: Path) -> tuple[Hop, ...]:
    """The jump hosts, first one first, and the host itself.

    Raises:
        InputError: ssh refuses its settings; the message is ssh's.
    """
    words = settings.ssh_words()
    login = f"{settings.remote_user}@{settings.host}" if settings.remote_user else settings.host
    ssh = _ask_settings(settings, words, settings.host, folder)
    target = Hop(settings.host, login, settings.port, tuple(words), ssh)
    route = [target]
    names = list(target.ssh.jumps)
    while names:
        if len(route) > _MOST_JUMPS:
            raise InputError(f"More than {_MOST_JUMPS} jump hosts lie before {settings.host}: see ProxyJump.")
        name = names.pop()
        user, host, port = _split_destination(name)
        own = [*config_words(words), *(["-l", user] if user else []), *(["-p", str(port)] if port else [])]
        login = f"{user}@{host}" if user else host
        hop = Hop(host, login, port, tuple(own), _ask_settings(settings, own, host, folder))
        route.insert(0, hop)
        if not names:  # the first one may have jump hosts of its own
            names = list(hop.ssh.jumps)
    return tuple(route)


def attempt_login(
    settings: HostSettings,
    route: Sequence[Hop],
    script: str,
    folder: Path,
    *,
    only_key: bool = False,
    keep_key: Path | None = None,
) -> Attempt:
    """Log in once and run ``script`` with /bin/sh.

    Args:
        folder: where Ansible runs, so that relative names mean the same.
        only_key: end before the login; the host key was checked by then.
        keep_key: a file of our own that takes the host's key, whatever it is; the known ones are not asked.
    """
    seconds = min(max(settings.timeout, 1), _MOST_CONNECT_SECONDS)
    with tempfile.TemporaryDirectory(prefix="intendant-reach-") as kept:
        logs = [Path(kept) / f"jump-{number}" for number, _ in enumerate(route[:-1])]
        *_, target = route
        command = [settings.ssh_executable, "-v", "-T", *_options(_ALWAYS), *_check_key(target, keep_key)]
        command += _options({"ConnectTimeout": str(seconds * len(route)), "RemoteCommand": "none"})
        command += _options({"ClearAllForwardings": "yes"})
        command += _cheap_exchange(target)
        if only_key:
            command += _options({"PreferredAuthentications": "none", "GSSAPIAuthentication": "no"})
        if logs:
            proxy = _proxy_command(settings.ssh_executable, list(route), logs, seconds)
            command += ["-o", f"ProxyCommand={proxy}"]
        command += [*_without_jumps(target.words), "--", settings.host, "/bin/sh -s"]
        began = time.time()
        limit = seconds * len(route) + _SESSION_SECONDS
        exit_code, stdout, stderr = run_bounded(command, folder, plain_environment(), script, limit)
        ended = time.time()
        return Attempt(
            jump_logs=tuple(_read(log) for log in logs),
            log=stderr,
            stdout=stdout,
            exit_code=exit_code,
            began=began,
            ended=ended,
        )


def _ask_settings(settings: HostSettings, words: Sequence[str], host: str, folder: Path) -> SshSettings:
    command = [settings.ssh_executable, "-G", *words, "--", host]
    exit_code, stdout, stderr = run_bounded(command, folder, plain_environment(), "", _SETTINGS_SECONDS)
    if exit_code != 0:
        last = (stderr.strip().splitlines() or ["it gave no reason"])[-1]
        raise InputError(f"ssh refuses its settings: {last}")
    return read_ssh_settings(stdout)


def _split_destination(name: str) -> tuple[str, str, int | None]:
    """``user@host:port`` in its parts; the user and the port are optional, an IPv6 address is in brackets."""
    user, _, place = name.rpartition("@")
    host, port = place, ""
    if place.startswith("["):
        host, _, port = place[1:].partition("]")
        port = port.removeprefix(":")
    elif place.count(":") == 1:
        host, _, port = place.partition(":")
    return user, host, int(port) if port.isdigit() else None


def _proxy_command(program: str, route: list[Hop], logs: list[Path], seconds: int) -> str:
    """The command that reaches the last of the route through the others, as ProxyJump would build it."""
    *before, hop, target = route
    command = [program, "-v", "-E", str(logs[len(before)]), *_options(_ALWAYS), *_check_key(hop)]
    command += _options({"ConnectTimeout": str(seconds * (len(before) + 1))})
    command += _options({"ProxyJump": "none"} if not before else {}) + _cheap_exchange(hop)
    if before:
        command += ["-o", f"ProxyCommand={_proxy_command(program, [*before, hop], logs, seconds)}"]
    command += [*hop.words, "-W", target.ssh.endpoint, "--", hop.name]
    return shlex.join(command).replace("%", "%%")


def _without_jumps(words: Sequence[str]) -> list[str]:
    """Without ``-J``, which ssh refuses beside the proxy command that we put in its place."""
    kept: list[str] = []
    given = iter(words)
    for word in given:
        if word == "-J":
            next(given, None)
        elif not word.startswith("-J"):
            kept.append(word)
    return kept


def _cheap_exchange(hop: Hop) -> list[str]:
    """The same methods of key exchange, the cheap one first.

    The one that clients prefer against future quantum computers takes older ones 50 ms of computing, five times as much
    as all the rest of a login, and a check says nothing that must stay secret for decades.
    """
    if _CHEAP_EXCHANGE not in hop.ssh.exchanges:
        return []
    others = [name for name in hop.ssh.exchanges if name != _CHEAP_EXCHANGE]
    return _options({"KexAlgorithms": ",".join([_CHEAP_EXCHANGE, *others])})


def _check_key(hop: Hop, keep_key: Path | None = None) -> list[str]:
    if keep_key is not None:
        files = {"UserKnownHostsFile": f'"{keep_key}"', "GlobalKnownHostsFile": "/dev/null", "HashKnownHosts": "no"}
        return _options({"StrictHostKeyChecking": "accept-new", **files, "CheckHostIP": "no"})
    if hop.ssh.checks_keys:
        return _options({"StrictHostKeyChecking": "yes"})
    # The settings check no keys. Then ssh would keep an unknown one; nothing is kept here.
    return _options({"StrictHostKeyChecking": "no", "UserKnownHostsFile": "/dev/null"})


def _options(values: Mapping[str, str]) -> list[str]:
    return [word for name, value in values.items() for word in ("-o", f"{name}={value}")]


def _read(path: Path) -> str:
    try:
        return path.read_bytes()[:MOST_BYTES].decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
