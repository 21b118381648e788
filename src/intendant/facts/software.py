"""Reading what a host says of its packages, services and accounts. Pure; lines that are no answer are passed over."""

import re
from collections.abc import Iterator, Sequence

from intendant.facts.asking import Parts
from intendant.facts.rows import Fact, PackageFact, ServiceFact, UserFact

_NO_LOGIN = ("nologin", "false", "sync", "shutdown", "halt")
_FIRST_PERSON, _NOBODY = 1000, (65534, 65535)
_ACTIVE_ORDER = ("failed", "activating", "reloading", "deactivating", "active")


def read_packages(parts: Parts) -> Sequence[Fact]:
    """By name; from whichever of dpkg, rpm and apk has some."""
    rows = [*_read_dpkg(parts["dpkg"].text), *_read_rpm(parts["rpm"].text), *_read_apk(parts["apk"].text)]
    return sorted(rows, key=lambda row: (row.name, row.version, row.architecture))


def _read_dpkg(text: str) -> Iterator[PackageFact]:
    for line in text.splitlines():
        status, *rest = line.split("\t")
        # The second letter is the state: of what was removed only settings may be left.
        if len(rest) == 3 and status[1:2] in ("i", "U", "F", "H", "W", "t"):
            yield PackageFact(name=rest[0], version=rest[1], architecture=rest[2])


def _read_rpm(text: str) -> Iterator[PackageFact]:
    for line in text.splitlines():
        words = line.split("\t")
        if len(words) == 4:
            epoch = "" if words[1] in ("(none)", "0") else f"{words[1]}:"
            yield PackageFact(name=words[0], version=epoch + words[2], architecture=words[3].replace("(none)", ""))


def _read_apk(text: str) -> Iterator[PackageFact]:
    package: dict[str, str] = {}
    for line in [*text.splitlines(), "P:"]:
        key, found, value = line.partition(":")
        if key == "P" and found:
            if {"P", "V"} <= package.keys():
                yield PackageFact(name=package["P"], version=package["V"], architecture=package.get("A", ""))
            package = {}
        if found and value:
            package[key] = value


def read_services(parts: Parts) -> Sequence[Fact]:
    """Failed ones first, then those that run, then what starts with the host and does not run, then others."""
    if parts["units"].code != 0:
        return []  # the files alone do not say what runs
    enabled: dict[str, str] = {}
    for line in parts["files"].text.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0].endswith(".service"):
            enabled[words[0]] = words[1]
    rows: dict[str, ServiceFact] = {}
    for line in parts["units"].text.splitlines():
        words = line.split(maxsplit=4)
        if len(words) >= 4 and words[0].endswith(".service") and words[1] != "not-found":
            own = enabled.get(words[0], enabled.get(re.sub(r"@.*\.", "@.", words[0]), ""))
            rows[words[0]] = ServiceFact(name=words[0], active=words[2], state=words[3], enabled=own)
    for name, state in enabled.items():
        if name not in rows and "@." not in name and state not in ("alias", "static", "generated", "indirect"):
            rows[name] = ServiceFact(name=name, active="inactive", enabled=state)
    return sorted(rows.values(), key=_order)


def _order(row: ServiceFact) -> tuple[int, int, str]:
    active = _ACTIVE_ORDER.index(row.active) if row.active in _ACTIVE_ORDER else len(_ACTIVE_ORDER)
    idle = row.state != "running" if row.active == "active" else row.enabled != "enabled"
    return active, idle, row.name


def read_users(parts: Parts) -> Sequence[Fact]:
    """People's accounts and those that can log in, by number, with their groups, the main one first."""
    members: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    for line in parts["groups"].text.splitlines():
        words = line.split("\t")
        if len(words) == 4:
            names.setdefault(words[2], words[0])
            for user in filter(None, words[3].split(",")):
                members.setdefault(user, []).append(words[0])
    rows: dict[str, UserFact] = {}
    for line in parts["accounts"].text.splitlines():
        words = line.split("\t")
        if len(words) != 7 or not re.fullmatch(r"\d{1,10}", words[2]):
            continue
        name, uid, shell = words[0], int(words[2]), words[6]
        is_person = uid == 0 or (uid >= _FIRST_PERSON and uid not in _NOBODY)
        if is_person or (shell and shell.rpartition("/")[2] not in _NO_LOGIN):
            main = names.get(words[3], words[3])
            groups = tuple(dict.fromkeys([main, *members.get(name, [])]))
            rows.setdefault(name, UserFact(name=name, uid=uid, groups=groups, home=words[5], shell=shell))
    return sorted(rows.values(), key=lambda row: (row.uid, row.name))
