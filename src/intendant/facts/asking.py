"""What is asked of a host for each topic, as one command line that the classifier knows to read. Pure."""

import re
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

TopicName = Literal["system", "packages", "services", "disks", "network", "users", "listening"]

_DPKG = r"dpkg-query -W -f='${db:Status-Abbrev}\t${Package}\t${Version}\t${Architecture}\n'"
_RPM = r"rpm -qa --queryformat '%{NAME}\t%{EPOCH}\t%{VERSION}-%{RELEASE}\t%{ARCH}\n'"
# With tabs: masking takes the colon after an account called "token" for the beginning of a secret.
_TABS = "tr : '\\t'"
# What may ask another machine (an accounts' directory, a network file system) has a time limit of its own.
_PARTS: dict[TopicName, dict[str, str]] = {
    "system": {
        "release": "cat /etc/os-release",
        "kernel": "uname -srm",
        "name": "uname -n",
        "memory": "grep -E '^(MemTotal|MemAvailable|SwapTotal):' /proc/meminfo",
        "cpus": "nproc",
        "load": "cat /proc/loadavg",
        "uptime": "cat /proc/uptime",
        "clock": "date +%s",
        "zone": "readlink /etc/localtime",
    },
    "packages": {
        "dpkg": _DPKG,
        "rpm": _RPM,
        "apk": "grep -E '^[PVA]:' /lib/apk/db/installed",
    },
    "services": {
        "units": "systemctl list-units --type=service --all --full --no-legend --plain --no-pager",
        "files": "systemctl list-unit-files --type=service --full --no-legend --no-pager",
    },
    "disks": {
        "df": "timeout 5 df -PTk",
        "lsblk": "lsblk -b -P -o NAME,TYPE,SIZE,FSTYPE,MOUNTPOINT",
    },
    "network": {
        "addresses": "ip -j addr",
        "routes": "ip -j route show default",
        "routes6": "ip -j -6 route show default",
        "resolver": "cat /etc/resolv.conf",
    },
    "users": {
        "accounts": f"timeout 5 getent passwd | {_TABS}",
        "groups": f"timeout 5 getent group | {_TABS}",
    },
    "listening": {"ss": "ss -H -t -u -l -n -p"},
}
TOPICS: tuple[TopicName, ...] = tuple(_PARTS)
_NOT_FOUND, _TIMED_OUT = 127, (124, 137, 143)


class Part(NamedTuple):
    """What one program printed, with its errors, and how it ended; ``code`` is None where its end was not seen."""

    code: int | None
    text: str

    @property
    def is_missing(self) -> bool:
        """The host has no such program."""
        return self.code == _NOT_FOUND

    @property
    def is_late(self) -> bool:
        """It did not end in time."""
        return self.code is None or self.code in _TIMED_OUT

    @property
    def last_line(self) -> str:
        """Where a failing program says why."""
        return self.text.strip().rpartition("\n")[2]


Parts = Mapping[str, Part]


def build_facts_command(topics: Iterable[TopicName], mark: str) -> str:
    """One command line for all these topics; ``mark`` (letters and digits) is not to be guessed by what it prints."""
    steps = [
        # printf, since echo takes a variable in other ways from shell to shell.
        f"echo {mark} {topic} {name}; {command} 2>&1; printf '%s %s\\n' {mark} \"$?\""
        for topic in topics
        for name, command in _PARTS[topic].items()
    ]
    return "; ".join(steps)


def split_answer(text: str, mark: str) -> dict[TopicName, dict[str, Part]]:
    """What the command line printed, by topic and part; a topic is there if all its parts have begun."""
    found: dict[TopicName, dict[str, Part]] = {}
    # A program's last line may lack its end.
    for piece in text.split(f"{mark} ")[1:]:
        head, _, body = piece.partition("\n")
        topic, _, name = head.partition(" ")
        if topic in _PARTS and name in _PARTS[topic]:
            found.setdefault(topic, {})[name] = Part(None, body)
            last = (topic, name)
        elif re.fullmatch(r"\d+", head) and found:
            found[last[0]][last[1]] = Part(int(head), found[last[0]][last[1]].text)
    return {topic: parts for topic, parts in found.items() if parts.keys() == _PARTS[topic].keys()}
