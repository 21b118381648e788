"""What the output of one ``ssh -v`` (LC_ALL=C) says: how far the attempt came, and why no further. Pure.

Only lines that OpenSSH is known to print are understood, from their beginning where it matters: a host puts words of
its own into some of them, and must not be able to show another fingerprint than its own. Where no line says why, the
last one that is not a debugging message is the reason, as it stands.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

#: in the order of an attempt; "session" is reached when the login went through
Stage = Literal["name", "connect", "banner", "host_key", "login", "session"]
Reason = Literal[
    "",
    "unresolved",
    "refused",
    "timed_out",
    "unreachable",
    "closed",
    "proxy",
    "busy",
    "turned_away",
    "not_ssh",
    "no_common_method",
    "unknown",
    "changed",
    "revoked",
    "denied",
    "too_many_keys",
    "expired",
    "hung",
    "other",
]

_CONNECT: tuple[tuple[str, Reason], ...] = (
    (r"Connection refused", "refused"),
    (r"timed out", "timed_out"),
    (r"No route to host|[Nn]etwork is unreachable|Host is down|Network is down", "unreachable"),
)
_RESOLVING = r"Could not resolve hostname|Name or service not known|Temporary failure in name resolution"
_OWN_WORDS = (
    r"debug\d: |OpenSSH_|@|\*\* |Connection closed by UNKNOWN|Transferred: |Bytes per second: |Authenticated to "
)
_CLOSED = r"(?:Connection (?:to \S+ port \d+ )?(?:closed|reset)|Connection closed by|Broken pipe)"


@dataclass(frozen=True)
class OfferedKey:
    """A key that was offered: its file (or its comment in the agent), ``ED25519 SHA256:…``, where it is from."""

    name: str
    fingerprint: str
    source: str
    accepted: bool


@dataclass(frozen=True)
class Reading:
    """How far an attempt came: ``stage`` failed for ``reason``, or is "session". ``said`` are ssh's own words."""

    stage: Stage
    reason: Reason
    said: str
    address: str = ""
    server: str = ""
    host_key: str = ""
    key_name: str = ""
    known_file: str = ""
    user: str = ""
    method: str = ""
    methods: tuple[str, ...] = ()
    offered: tuple[OfferedKey, ...] = ()
    missing: tuple[str, ...] = ()
    open_keys: tuple[str, ...] = ()
    agent_refused: bool = False
    onward: str = ""

    @property
    def logged_in(self) -> bool:
        """The host let us in."""
        return self.stage == "session"


def read_attempt(log: str) -> Reading:
    """What ssh's log says."""
    lines = [line.strip() for line in log.replace("\r", "\n").splitlines() if line.strip()]
    search = _searcher(lines)
    stage = _stage_of(search)
    reason, said = _reason_of(stage, search, lines)
    key = search(r"^debug1: Server host key: (\S+) (SHA256:\S+)")
    connecting = search(r"^debug1: Connecting to \S+ \[(\S+)\] port (\d+)")
    named = search(
        r"^No \S+ host key is known for (\S+) and|^Host key for (\S+) has changed|^debug1: Host '(\S+)' is known and"
    )
    methods = [
        found[1] for line in lines if (found := re.search(r"^debug1: Authentications that can continue: (\S+)", line))
    ]
    method = search(r"^Authenticated to .* using \"(\S+)\"")
    user = search(r"^debug1: Authenticating to \S+ as '(.*)'")
    server = search(r"^debug1: Remote protocol version \S+, remote software version (.*)")
    return Reading(
        stage=stage,
        reason=reason,
        said=said,
        address=f"{connecting[1]} port {connecting[2]}" if connecting else "",
        server=server[1] if server else "",
        host_key=f"{_key_type(key[1])} {key[2]}" if key else "",
        key_name=next(filter(None, named.groups()), "") if named else "",
        known_file=found[1] if (found := search(r"^Offending \S+ key in (.+):\d+$")) else "",
        user=user[1] if user else "",
        method=method[1] if method else "",
        methods=tuple(methods[0].split(",")) if methods else (),
        offered=_offered_keys(lines),
        missing=tuple(found[1] for line in lines if (found := re.search(r"^debug1: Trying private key: (.+)$", line))),
        open_keys=tuple(found[1] for line in lines if (found := re.search(r'^Load key "(.+)": bad permissions', line))),
        agent_refused=search(r"agent refused operation|signing failed for .* from agent") is not None,
        onward=found[1] if (found := search(r"^channel \d+: open failed: (?:connect failed: )?(.*)$")) else "",
    )


def spoken_lines(lines: Iterable[str]) -> list[str]:
    """Without ssh's debugging messages and its accounts of itself: what the host or ssh said for people."""
    return [line for line in lines if line.strip() and not re.match(_OWN_WORDS, line)]


def read_onward(said: str) -> tuple[Stage, Reason]:
    """Why a jump host could not connect onward: its words as stage and reason of the next host."""
    if re.search(_RESOLVING, said):
        return "name", "unresolved"
    return "connect", next((reason for pattern, reason in _CONNECT if re.search(pattern, said)), "other")


Search = Callable[[str], re.Match[str] | None]


def _searcher(lines: list[str]) -> Search:
    def search(pattern: str) -> re.Match[str] | None:
        return next((found for line in lines if (found := re.search(pattern, line))), None)

    return search


def _stage_of(search: Search) -> Stage:
    """The stage at which the attempt stands."""
    if search(r"^Authenticated to "):
        return "session"
    if search(r"^debug1: (?:Authentications that can continue|Host '.*' is known and matches|SSH2_MSG_NEWKEYS sent)"):
        return "login"
    if search(r"^debug1: Server host key: "):
        return "host_key"
    if search(r"^debug1: Executing proxy command") and not search(r"^debug1: Remote protocol version"):
        return "connect"
    if search(r"^debug1: (?:Connection established|Local version string)"):
        return "banner"
    return "connect" if search(r"^debug1: Connecting to ") else "name"


def _reason_of(stage: Stage, search: Search, lines: list[str]) -> tuple[Reason, str]:
    if stage == "session":
        return "", ""
    if stage == "connect" and search(r"^debug1: Executing proxy command"):
        return "proxy", next(iter(spoken_lines(lines)), "it ended without a word")
    for pattern, reason in _PATTERNS[stage]:
        if found := search(pattern):
            return reason, found.string
    return "other", next(reversed(spoken_lines(lines)), "")


#: the first that is found is the reason
_PATTERNS: dict[Stage, tuple[tuple[str, Reason], ...]] = {
    "name": ((rf"^ssh: .*(?:{_RESOLVING})", "unresolved"),),
    "connect": tuple((rf"^ssh: connect to .*(?:{pattern})", reason) for pattern, reason in _CONNECT),
    "banner": (
        (r"Not allowed at this time", "turned_away"),
        (r"Exceeded MaxStartups", "busy"),
        (r"timed out", "timed_out"),
        (r"invalid characters|Bad packet length|banner line too long|no SSH identification", "not_ssh"),
        (r"^Unable to negotiate", "no_common_method"),
        (_CLOSED, "closed"),
    ),
    "host_key": (
        (r"^Host key for \S+ has changed", "changed"),
        (r"REMOTE HOST IDENTIFICATION HAS CHANGED", "changed"),
        (r"REVOKED HOST KEY|is marked as revoked", "revoked"),
        (r"^No .* host key is known for", "unknown"),
        (r"^Unable to negotiate", "no_common_method"),
        (_CLOSED, "closed"),
    ),
    "login": (
        (r"Too many authentication failures", "too_many_keys"),
        (r"account (?:has|is) expired|account has expired|password has expired", "expired"),
        (r"Permission denied \(", "denied"),
        (_CLOSED, "closed"),
    ),
}


def _offered_keys(lines: list[str]) -> tuple[OfferedKey, ...]:
    pattern = r"^debug1: Offering public key: (.*) (\S+) (SHA256:\S+)(.*)$"
    accepted = {
        found[1] for line in lines if (found := re.search(r"^debug1: Server accepts key: .* (SHA256:\S+)", line))
    }
    keys = []
    for line in lines:
        if found := re.search(pattern, line):
            source = "agent" if "agent" in found[4].split() else "file"
            keys.append(OfferedKey(found[1], f"{found[2]} {found[3]}", source, found[3] in accepted))
    return tuple(keys)


def _key_type(name: str) -> str:
    """``ssh-ed25519`` as ssh-keygen calls it: ``ED25519``."""
    name = name.removesuffix("-cert-v01@openssh.com").removesuffix("@openssh.com")
    if name.startswith(("sk-", "ecdsa")):
        return ("ED25519" if "ed25519" in name else "ECDSA") + ("-SK" if name.startswith("sk-") else "")
    return "RSA" if "rsa" in name else name.removeprefix("ssh-").upper()
