"""Reads one value of a param from one word, by the name and the type of the param. Pure."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import JsonValue

from intendant.words.schedules import read_schedule
from intendant.words.tokens import Token
from intendant.words.vocabulary import PLAIN_NOUNS
from intendant.words.wording import is_ordinary

_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_IPV4 = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
_IPV6 = r"[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}"
_ADDRESS = rf"(?:{_IPV4}|{_IPV6})(?:/\d{{1,3}})?"
_SAFE = r"[^\s\"'`;&|<>$(){}*?\[\]\\]"
#: where requests are passed to, without what nginx writes in front of it
_BACKEND = re.compile(rf"(?:localhost|{_IPV4}):\d{{1,5}}")
_SAFE_WORD = re.compile(_SAFE + "+")
_SHAPES: Mapping[str, re.Pattern[str]] = {
    "name": re.compile(r"(?=.*[^\W\d_])\w[\w.+:@=~-]*"),
    "login": re.compile(r"(?=.*[^\W\d_])\w[\w.+@-]*"),
    "kernel": re.compile(r"(?:abi|crypto|debug|dev|fs|kernel|net|sunrpc|user|vm)(?:\.[\w-]+)+"),
    "word": re.compile(r"[\w.+:@=~/-]*\w[\w.+:@=~/-]*"),
    "version": re.compile(r"v?\d+([-.+~:]?([a-z]*\d+|lts))*"),
    "path": re.compile(rf"~?/{_SAFE}+"),
    "mode": re.compile(r"[0-7]{3,4}"),
    "port": re.compile(r"\d{1,5}(?:-\d{1,5})?"),
    "known": re.compile(
        "ftp|https?|imaps?|ldap|mysql|mariadb|mqtt|nfs|pop3s|postgres|postgresql|redis|samba|smb|smtps?|ssh|submission"
    ),
    "address": re.compile(_ADDRESS),
    "socket": re.compile(rf"(?:{_IPV4}|localhost|\*)?:\d{{1,5}}|\[{_IPV6}\]:\d{{1,5}}|localhost"),
    "url": re.compile(rf"[a-z][a-z0-9+.-]*://{_SAFE}+"),
    "remote": re.compile(rf"(?:(?:sftp|rest|s3|b2|rclone|gs|azure):{_SAFE}+|[\w.-]+@[\w.-]+:{_SAFE}+)"),
    "share": re.compile(rf"//[\w.-]+/{_SAFE}+|[\w.-]+:/{_SAFE}*|(?:PART)?(?:UUID|LABEL)=[\w.-]+"),
    "size": re.compile(r"\d+(?:\.\d+)?[KMGTkmgt](?:i?[Bb])?|0"),
    "jail": re.compile(r"[A-Za-z][\w.-]*"),
    "setting": re.compile(r"[a-z][a-z\d]*(?:[_.-]\w+)+"),
    "duration": re.compile(r"\d+(?:[smhdw]|min|sec)?"),
    "zone": re.compile(
        r"(?:Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Europe|Indian|Pacific)(?:/[A-Z][A-Za-z_-]+)+"
        r"|UTC|GMT|Etc/[A-Za-z]+[+-]?\d*"
    ),
    "locale": re.compile(r"[a-z]{2,3}_[A-Z]{2}(?:\.[\w-]+)?(?:@\w+)?|C(?:\.[\w-]+)?|POSIX"),
    "schedule": re.compile(r"hourly|daily|weekly|monthly|nightly"),
}
_PATH_SUFFIXES = ("path", "paths", "dir", "directory", "folder", "file", "dest", "destination", "target", "home",
                  "shell", "root", "swapfile")  # fmt: skip
#: which shapes the values of a param may have, by how its name ends; the first that fits counts
_ACCEPTED: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (_PATH_SUFFIXES, ("path",)),
    (("device",), ("path", "share")),
    (("source", "src"), ("path", "share")),
    (("checkout_version",), ("word",)),
    (("version", "release"), ("version",)),
    (("mode", "permissions"), ("mode",)),
    (("port", "ports"), ("port", "known")),
    (("from", "address", "addresses", "cidr", "network", "networks"), ("address",)),
    (("bantime", "findtime", "delay"), ("duration",)),
    (("ignore",), ("address", "name")),
    (("jails_name",), ("jail",)),
    (("sync_allow",), ("address",)),
    (("clients", "servers", "hosts", "server", "host", "domains"), ("address", "name")),
    (("listen", "bind"), ("socket", "address", "port")),
    (("repository", "repo"), ("url", "path", "remote")),
    (("url", "mirror", "pass", "endpoint"), ("url",)),
    (("size", "memory"), ("size",)),
    (("timezone_name", "timezone", "zone"), ("zone",)),
    (("locale_name", "locale_generate"), ("locale",)),
    (("schedule", "calendar"), ("schedule",)),
    (("sysctl_settings.name", "kernel_settings.key"), ("kernel",)),
    (("settings_key",), ("setting",)),
    (("value", "key"), ("word",)),
    (("owner", "group", "groups", "user", "users", "user_name"), ("login",)),
)
#: text that cannot be told from the rest of the request unless it is quoted
_PROSE_SUFFIXES = ("content", "line")
_COMMAND_SUFFIXES = ("command", "cmd", "exec")
#: values that are names, so that quotes around them change nothing but that ordinary words count
_NAME_SUFFIXES = ("name", "owner", "group", "groups", "user", "users", "names", "databases")


def read_value(name: str, option: Mapping[str, Any], token: Token, *, is_named: bool = False) -> JsonValue:
    """The value that the word has for the param, or None; ``is_named`` says that "called" stands before it."""
    kind = (option.get("elements") if option.get("type") == "list" else option.get("type")) or "str"
    text = token.text
    if kind == "int":
        return int(text) if text.isdecimal() and (not _ends(name, ("port",)) or 0 < int(text) < 65536) else None
    if kind == "float":
        return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else None
    if kind == "bool":
        return {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}.get(text.lower())
    if option.get("choices"):
        return next((choice for choice in option["choices"] if str(choice).lower() == text.lower()), None)
    if _ends(name, ("schedule", "calendar")):
        return read_schedule(text)
    if _ends(name, _COMMAND_SUFFIXES):
        # A program by its path, with arguments in quotes; a shell's own language is not for a request in words.
        return text if all(map(_SAFE_WORD.fullmatch, text.split(" "))) and text.startswith("/") else None
    if _ends(name, _PROSE_SUFFIXES):
        return text if token.quoted else None
    shapes = ("path",) if kind == "path" else _shapes(name)
    if shapes is None:
        if token.quoted and not _ends(name, _NAME_SUFFIXES):
            return text
        shapes = ("name",)
    if _ends(name, ("pass",)) and _BACKEND.fullmatch(text):
        text = f"http://{text}"
    text = text.lower() if "known" in shapes else text
    shape = next((shape for shape in shapes if _SHAPES[shape].fullmatch(text)), None)
    if shape is None or (shape == "port" and not _is_port(text)):
        return None
    may_be_ordinary = is_named or ("." in name and token.word in PLAIN_NOUNS)
    if shape in {"name", "login"} and is_ordinary(token.word) and not may_be_ordinary:
        return None
    return re.sub("i?[Bb]$", "", text).upper() if shape == "size" else text


def says_name(name: str) -> bool:
    """Whether the values of the param are names, which may look like any other word."""
    return _shapes(name) in {None, ("name",), ("login",), ("word",), ("jail",)} and not _ends(
        name, _COMMAND_SUFFIXES + _PROSE_SUFFIXES
    )


@cache
def _shapes(name: str) -> tuple[str, ...] | None:
    return next((shapes for suffixes, shapes in _ACCEPTED if _ends(name, suffixes)), None)


@cache
def _ends(name: str, suffixes: tuple[str, ...]) -> bool:
    return re.sub(r"[._]", "_", f"_{name}").endswith(tuple(f"_{suffix.replace('.', '_')}" for suffix in suffixes))


def _is_port(text: str) -> bool:
    ends = [int(part) for part in text.split("-")]
    return all(0 < end < 65536 for end in ends) and ends == sorted(ends)
