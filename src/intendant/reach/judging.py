"""From what ssh said to what is ok, what fails and what mends it. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from intendant.reach import advice
from intendant.reach.advice import LocalKeys, Target
from intendant.reach.reading import Reading, Reason, Stage
from intendant.reach.results import Check, CheckName

_STAGES: tuple[Literal["name", "connect", "banner", "host_key", "login"], ...] = (
    "name",
    "connect",
    "banner",
    "host_key",
    "login",
)

_PROBLEMS: Mapping[Reason, tuple[str, str]] = {
    "unresolved": (
        "The name does not resolve.",
        "Check ansible_host in the inventory, the name in DNS or /etc/hosts, and HostName in ~/.ssh/config.",
    ),
    "refused": (
        "The connection is refused: the address answers, but nothing listens on the port.",
        "On the host: systemctl start ssh (sshd on other systems than Debian). Or correct ansible_port.",
    ),
    "timed_out": (
        "The connection timed out: nothing answers at all.",
        "Is the host up, is the address right, does a firewall drop what comes to the port?",
    ),
    "unreachable": (
        "There is no way to the address: host or network are unreachable.",
        "Is the host up and in a network that this machine can route to (ip route get ADDRESS)? Is a VPN needed?",
    ),
    "closed": (
        "The connection is closed before SSH begins.",
        "sshd is overloaded or bans this machine (MaxStartups, fail2ban): wait and check again, or see the host's log: "
        "journalctl -u ssh.",
    ),
    "busy": (
        "The host has too many logins in the making at once (MaxStartups).",
        "Wait and check again; or raise MaxStartups in the host's sshd_config.",
    ),
    "turned_away": (
        "The host turns this machine away for now: too many logins have failed (PerSourcePenalties).",
        "Wait some minutes without trying; mend what made the logins fail first.",
    ),
    "hung": (
        "The host stopped answering in the middle of the login.",
        "Is it overloaded? Is the network's MTU right? A name that its resolver cannot look up delays sshd, too "
        "(UseDNS).",
    ),
    "not_ssh": ("What answers on the port does not speak SSH.", "Correct ansible_port or ansible_host."),
    "no_common_method": (
        "This machine and the host share no method of encryption.",
        "One of them is very old: update its OpenSSH, or allow what the other one offers in ~/.ssh/config.",
    ),
    "revoked": (
        "The host presents a key that known_hosts marks as revoked.",
        "Do not log in. Give the host a new key, or find out what answers under its address.",
    ),
    "expired": (
        "The account on the host has expired, or its password has.",
        "On the host, as root: chage -l USER shows it; chage -E -1 USER or passwd USER mend it.",
    ),
}
CHECK_KEYS = "Remove host_key_checking = False and StrictHostKeyChecking=no, and accept the host's key once."
_SILENT = (
    "The port accepts the connection, but no SSH server answers on it.",
    "Is sshd hung or overloaded, does something else listen on the port, does a firewall let only the first packets "
    "through?",
)


def judge_way(target: Target, reading: Reading, keys: LocalKeys, known: Sequence[str]) -> Iterator[Check]:
    """The checks of the connection, one for each stage up to the one that fails.

    Args:
        known: the keys that this machine knows for the host, as ``ED25519 SHA256:…``.
    """
    reached = len(_STAGES) if reading.stage == "session" else _STAGES.index(_as_check(reading.stage))
    for name in _STAGES[:reached]:
        yield Check(name, True, _good_detail(name, target, reading))
    if reached < len(_STAGES):
        yield _judge_failure(_STAGES[reached], target, reading, keys, known)


def judge_jump(target: Target, reading: Reading, keys: LocalKeys, known: Sequence[str]) -> Check:
    """One check for a whole jump host: it names the host, and fails as the host itself would."""
    name = target.login
    if reading.logged_in:
        return Check("jump", True, f"{name}: logged in")
    failed = next(check for check in judge_way(target, reading, keys, known) if not check.ok)
    problem = f"Jump host {name}: {failed.problem}"
    fix = f"{failed.fix} (A jump host's settings are in ansible_ssh_common_args and ~/.ssh/config.)"
    return Check("jump", False, f"{name}: {failed.name}: {failed.detail}", problem, fix)


def judge_onward(stage: Stage, reason: Reason, said: str, jump: str, further: str = "") -> Check:
    """The jump host let us in but could not connect to the next one, which ``further`` names when it is one too."""
    problem, fix = _PROBLEMS.get(reason, (f"it did not connect further: {said}", ""))
    if reason == "other":
        fix = f"{jump} may not forward (AllowTcpForwarding in its sshd_config), or cannot reach the address."
    problem = f"From jump host {jump}: {problem}"
    if further:
        return Check("jump", False, f"{further}: {said} (seen from {jump})", f"Jump host {further}: {problem}", fix)
    return Check(_as_check(stage), False, f"{said} (seen from {jump})", problem, fix)


def judge_silence(target: Target, stdout: str, said: str, exit_code: int | None) -> Check:
    """The login went through and /bin/sh did not run: it is the login shell, or a forced command.

    Args:
        said: what came on stderr, without ssh's own messages.
    """
    words = [line.strip() for line in [*stdout.splitlines(), *said.splitlines()] if line.strip()]
    last = words[-1][:300] if words else ""
    fix = advice.change_shell(target)
    if ("password" in said and "expired" in said) or "assword change required" in said:
        problem, fix = _PROBLEMS["expired"]
        return Check("shell", False, last, problem, fix)
    if "account is currently not available" in stdout:
        return Check("shell", False, last, "The login shell of the account is nologin: it may not run anything.", fix)
    if exit_code is None:
        fix = "Log in by hand and see what hangs: a start file of the shell, a file system that does not answer?"
        return Check("shell", False, last or "no answer", "The login went through, but no answer came in time.", fix)
    if not last and exit_code == 1:
        problem = "The login shell ends at once without a word, as /bin/false does: it may not run anything."
        return Check("shell", False, "exit code 1, no output", problem, fix)
    problem = "The login went through, but /bin/sh did not run: a restricted shell or a forced command?"
    return Check("shell", False, last or f"exit code {exit_code}, no output", problem, fix)


def refuse_password(way: Sequence[Check]) -> list[Check]:
    """A host whose key is not checked gets no password from here; what failed before that stands."""
    if any(not check.ok and check.name != "login" for check in way):
        return list(way)
    kept = [check for check in way if check.name not in ("host_key", "login")]
    problem = "The settings switch host key checking off, so that the password would go to whatever answers."
    return [*kept, Check("host_key", False, "not checked: the settings say so", problem, CHECK_KEYS)]


def _as_check(stage: Stage) -> Literal["name", "connect", "banner", "host_key", "login"]:
    assert stage != "session"
    return stage


def _good_detail(name: CheckName, target: Target, reading: Reading) -> str:
    if name == "host_key":
        return reading.host_key if target.ssh.checks_keys else f"{reading.host_key} (not checked: the settings say so)"
    details = {
        "name": reading.address.partition(" ")[0] or f"{target.ssh.hostname} (looked up behind the proxy)",
        "connect": reading.address or f"{target.ssh.hostname} port {target.ssh.port} (through the proxy)",
        "banner": reading.server,
    }
    if name == "login":
        accepted = [key for key in reading.offered if key.accepted]
        key = f" {accepted[-1].name}" if accepted else ""
        return f"{reading.user} by {reading.method}{key}"
    return details[name]


def _judge_failure(name: CheckName, target: Target, reading: Reading, keys: LocalKeys, known: Sequence[str]) -> Check:
    if reading.reason == "unknown":
        problem = f"The host's key is not known yet. It presents {reading.host_key}."
        return Check(name, False, reading.said, problem, advice.accept_key(target, reading, known))
    if reading.reason == "changed":
        problem = (
            f"The host's key has CHANGED. It presents {reading.host_key}; known is {', '.join(known) or 'another one'}."
        )
        return Check(name, False, reading.said, problem, advice.replace_key(target, reading))
    if reading.reason == "too_many_keys":
        problem = f"The host gave up after {len(reading.offered)} keys, before the right one was offered."
        return Check(name, False, _tried(reading), problem, advice.fewer_keys())
    if reading.reason == "denied":
        problem = f"The host does not let {reading.user or target.ssh.user} in: {_tried(reading)}."
        return Check(name, False, reading.said, problem, advice.install_key(target, reading, keys))
    if reading.reason == "proxy":
        problem = f"The ProxyCommand of the settings does not reach the host: {reading.said}"
        fix = f"See what it says by hand: {advice.ssh_command(target, '-v')}"
        return Check(name, False, reading.said, problem, fix)
    if reading.reason in _PROBLEMS:
        problem, fix = _SILENT if (name, reading.reason) == ("banner", "timed_out") else _PROBLEMS[reading.reason]
        return Check(name, False, reading.said, problem, fix)
    said = reading.said or "ssh ended without a word"
    return Check(name, False, said, said, f"See what it says by hand: {advice.ssh_command(target, '-v')}")


def _tried(reading: Reading) -> str:
    tried = [f"{key.name} ({key.fingerprint}, from the {key.source})" for key in reading.offered]
    methods = ", ".join(reading.methods) or "none"
    if not tried:
        return f"no key was there to offer; the host takes {methods}"
    return f"tried {', '.join(tried)}; the host takes {methods}"
