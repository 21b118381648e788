"""Reading what a host says of the machine: its system, disks, network and open ports.

Pure; lines that are no answer are passed over.
"""

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from intendant.facts.asking import Parts
from intendant.facts.rows import DiskFact, Fact, NetworkFact, PortFact, ResolverFact, SystemFact

#: file systems that hold nothing of their own on a disk.
_NO_DISKS = frozenset(
    "tmpfs devtmpfs ramfs proc sysfs cgroup cgroup2 devpts mqueue efivarfs squashfs overlay autofs debugfs tracefs"
    " securityfs pstore bpf configfs fusectl hugetlbfs nsfs binfmt_misc".split()
)
_DF = re.compile(r"(\S.*?)\s+(\S+)\s+(\d+)\s+(\d+)\s+(-?\d+)\s+(?:\d+%|-)\s+(/.*)")
_SS = re.compile(r"(tcp|udp)\s+\S+\s+\d+\s+\d+\s+(\S*):(\d+)\s+\S+\s*(.*)")
_LATEST = 253402300799  # the last second of the year 9999


def read_system(parts: Parts) -> Sequence[Fact]:
    """Always one row."""
    release = dict(_read_pairs(parts["release"].text))
    kernel = parts["kernel"].text.split()
    memory = {name: int(size) * 1024 for name, size in re.findall(r"(\w+):\s+(\d+) kB", parts["memory"].text)}
    up, clock = _first_number(parts["uptime"].text), _first_number(parts["clock"].text)
    booted = int(clock - up) if up is not None and clock is not None else -1
    zone = parts["zone"].text.strip() if parts["zone"].code == 0 else ""
    cpus = _first_number(parts["cpus"].text)
    return [
        SystemFact(
            name=parts["name"].text.strip(),
            os=release.get("PRETTY_NAME", ""),
            os_id=release.get("ID", ""),
            os_version=release.get("VERSION_ID", ""),
            kernel=" ".join(kernel[:2]),
            architecture=kernel[-1] if kernel else "",
            cpus=int(cpus) if cpus is not None else None,
            load=_first_number(parts["load"].text),
            memory_bytes=memory.get("MemTotal"),
            memory_available_bytes=memory.get("MemAvailable"),
            swap_bytes=memory.get("SwapTotal"),
            booted_at=datetime.fromtimestamp(booted, UTC).isoformat() if 0 <= booted <= _LATEST else "",
            timezone=zone.rpartition("zoneinfo/")[2],
        )
    ]


def read_disks(parts: Parts) -> Sequence[Fact]:
    """File systems by mount point, then block devices by name."""
    rows: list[Fact] = []
    seen = set()
    for line in parts["df"].text.splitlines():
        found = _DF.fullmatch(line)
        if not found or (found[2] in _NO_DISKS and found[6] != "/") or found[6] in seen:
            continue
        seen.add(found[6])
        size, used, free = (max(0, int(number)) * 1024 for number in found.groups()[2:5])
        rows.append(
            DiskFact(
                name=found[6],
                kind="filesystem",
                size_bytes=size,
                used_bytes=used,
                free_bytes=free,
                type=found[2],
                device=found[1],
            )
        )
    rows.sort(key=lambda row: row.name)
    for line in parts["lsblk"].text.splitlines():
        values = dict(_split_pair(str(word)) for word in re.findall(r'\w+="[^"]*"', line))
        if values.get("NAME") and values.get("SIZE", "").isdecimal() and values["SIZE"] != "0":
            rows.append(
                DiskFact(
                    name=values["NAME"],
                    kind=values.get("TYPE", ""),
                    size_bytes=int(values["SIZE"]),
                    type=values.get("FSTYPE", ""),
                    mount=values.get("MOUNTPOINT", ""),
                )
            )
    return rows


def read_network(parts: Parts) -> Sequence[Fact]:
    """Interfaces in the host's order, then the name servers where there are some."""
    gateways: dict[str, list[str]] = {}
    for route in [*_read_json(parts["routes"].text), *_read_json(parts["routes6"].text)]:
        if isinstance(route.get("gateway"), str):
            gateways.setdefault(str(route.get("dev", "")), []).append(route["gateway"])
    rows: list[Fact] = []
    for link in _read_json(parts["addresses"].text):
        name = str(link.get("ifname", ""))
        if not name:
            continue
        addresses = [item for item in link.get("addr_info") or [] if isinstance(item, dict) and item.get("local")]
        mtu = link.get("mtu")
        rows.append(
            NetworkFact(
                name=name,
                state=str(link.get("operstate", "")).lower(),
                mac=str(link.get("address", "")) if link.get("link_type") == "ether" else "",
                mtu=mtu if isinstance(mtu, int) else None,
                addresses=tuple(f"{item['local']}/{item.get('prefixlen', '')}" for item in addresses),
                gateways=tuple(gateways.get(name, ())),
            )
        )
    words = [line.split() for line in parts["resolver"].text.splitlines()]
    servers = [line[1] for line in words if len(line) > 1 and line[0] == "nameserver"]
    search = next((line[1:] for line in reversed(words) if line and line[0] in ("search", "domain")), [])
    if servers:
        rows.append(ResolverFact(name="/etc/resolv.conf", nameservers=tuple(servers), search=tuple(search)))
    return rows


def read_listening(parts: Parts) -> Sequence[Fact]:
    """By port; what several processes share is one row."""
    rows: dict[tuple[int, str, str], str] = {}
    for line in parts["ss"].text.splitlines():
        if found := _SS.fullmatch(line.strip()):
            protocol, address, port, users = found.groups()
            names = ", ".join(dict.fromkeys(re.findall(r'\("([^"]{1,64})",pid=', users)))
            rows.setdefault((int(port), protocol, address.strip("[]") or "*"), names)
    return [
        PortFact(name=f"{protocol}/{port}", port=port, protocol=protocol, address=address, process=process)
        for (port, protocol, address), process in sorted(rows.items())
    ]


def _read_pairs(text: str) -> Iterator[tuple[str, str]]:
    """``NAME="value"``, one on each line."""
    return (_split_pair(line) for line in text.splitlines() if "=" in line)


def _split_pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    try:
        return name.strip(), "".join(shlex.split(value))
    except ValueError:  # a quote without its end
        return name.strip(), value.strip("\"'")


def _read_json(text: str) -> list[dict[str, Any]]:
    """The list in the first line that is one; warnings may stand around it."""
    for line in text.splitlines():
        if line.startswith("["):
            try:
                found = json.loads(line)
            except (ValueError, RecursionError):
                continue
            return [item for item in found if isinstance(item, dict)]
    return []


def _first_number(text: str) -> float | None:
    found = re.match(r"\s*(\d{1,18}(?:\.\d{1,9})?)\b", text)
    return float(found[1]) if found else None
