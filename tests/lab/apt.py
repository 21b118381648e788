"""Which Debian archive the machine itself installs from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .errors import LabError

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


@dataclass(frozen=True)
class Source:
    """One archive as apt's configuration names it."""

    uri: str
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str | None


def find_archive(etc: Path = Path("/etc/apt")) -> Source:
    """The archive that holds Debian's suites. Raises LabError when apt's configuration names none."""
    for source in read_sources(etc):
        plain = [suite for suite in source.suites if re.fullmatch(r"[a-z]+", suite)]
        if plain and "main" in source.components and _is_debian(source):
            return source
    raise LabError(f"no Debian archive over http or https in {etc}; add one to its sources")


def read_sources(etc: Path) -> Iterator[Source]:
    """Every enabled binary archive over http or https, in both formats that apt reads."""
    for path in [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*.list"))]:
        if path.is_file():
            yield from _read_lines(path.read_text())
    for path in sorted((etc / "sources.list.d").glob("*.sources")):
        yield from _read_deb822(path.read_text())


def _is_debian(source: Source) -> bool:
    return source.uri.rstrip("/").endswith("/debian") or "debian-archive-keyring" in (source.signed_by or "")


def _read_lines(text: str) -> Iterator[Source]:
    pattern = re.compile(
        r"^deb\s+(?:\[(?P<options>[^]]*)\]\s+)?(?P<uri>https?://\S+)\s+(?P<suite>\S+)\s+(?P<rest>[^#]*)"
    )
    for line in text.splitlines():
        if found := pattern.match(line.strip()):
            signed = re.search(r"signed-by=(\S+)", found["options"] or "")
            yield Source(found["uri"], (found["suite"],), tuple(found["rest"].split()), signed[1] if signed else None)


def _read_deb822(text: str) -> Iterator[Source]:
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for stanza in re.split(r"\n\s*\n", lines):
        # a line that starts with a blank continues the field before it
        pairs = re.findall(r"^([A-Za-z-]+):((?:.*)(?:\n[ \t].*)*)", stanza, re.MULTILINE)
        fields = {name.lower(): value.split() for name, value in pairs}
        if "deb" not in fields.get("types", []) or fields.get("enabled") == ["no"]:
            continue
        signed = fields.get("signed-by", [])
        for uri in fields.get("uris", []):
            if uri.startswith(("http://", "https://")):
                yield Source(
                    uri,
                    tuple(fields.get("suites", [])),
                    tuple(fields.get("components", [])),
                    signed[0] if len(signed) == 1 else None,  # more words than one: the key itself
                )
