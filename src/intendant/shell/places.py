"""Which files may be read or written without effect.

What a path leads to on the host cannot be seen from here: symbolic links and pipes with a name look like any file.
"""

import posixpath
import re
from collections.abc import Set as AbstractSet

from intendant.shell.syntax import Part, Word

#: files below /dev, /proc and /sys that can be read without effect and to an end
_HARMLESS = re.compile(
    r"/dev/(null|stdin)"
    r"|/proc/(buddyinfo|cgroups|cmdline|consoles|cpuinfo|crypto|devices|diskstats|filesystems|interrupts|iomem|ioports"
    r"|loadavg|locks|mdstat|meminfo|misc|modules|mounts|partitions|schedstat|slabinfo|softirqs|stat|swaps|uptime|version"
    r"|vmstat|zoneinfo|net/[a-z0-9_]+|pressure/(cpu|io|memory)|sys/[a-z0-9_./-]+)"
    r"|/proc/(self|[0-9]+|\*|\[0-9\]\*)/(cgroup|cmdline|comm|environ|io|limits|loginuid|maps|mountinfo|mounts|mountstats|oom_score"
    r"|oom_score_adj|sched|schedstat|smaps|smaps_rollup|stat|statm|status|wchan)"
    r"|/sys/(block|class/(block|dmi|hwmon|net|power_supply|thermal)|devices/system|fs/cgroup|module|power|kernel/mm)/[A-Za-z0-9_.:/*-]+"
    r"|/sys/power/state|/sys/kernel/security/lsm"
)
_SYSTEM = re.compile(r"/*(dev|proc|sys)(/.*)?", re.S)
_BLOCK = re.compile(
    r"/dev/(sd|hd|vd|xvd|nvme|mmcblk|md|dm-|loop|mapper/|disk/|ram|nbd|zd|zvol/|drbd|bcache|pmem|sr|mem$|kmem$|port$|root$)|/dev/\*|/dev/"
    r"[^/]+/root$"
)
_TRIGGER = re.compile(r"/proc/sysrq-trigger")
#: variables that the login sets, each to a path or a name
_OF_LOGIN = frozenset({"HOME", "PWD", "USER", "LOGNAME"})


def explain_read(word: Word, loops: AbstractSet[str]) -> str:
    """Why reading the file could do more than read, or ''.

    ``loops``: variables that go through files which were checked.
    """
    if word.dynamic <= {Part.GLOB, Part.BRACES}:
        if Part.BRACES in word.dynamic and word.prefix.count("/") < 2:
            return f"which files '{word.raw}' names is too hard to tell"
        return _explain_path(word.text, exact=word.literal, prefix=word.prefix)
    if word.dynamic == {Part.PROCESS}:
        return ""
    if word.dynamic <= {Part.VARIABLE, Part.GLOB} and len(word.variables) == 1 and ".." not in word.text:
        name = word.variables[0]
        rest = word.text[len(word.prefix) :]
        if name in _OF_LOGIN and not word.prefix and rest.startswith("/"):
            return ""
        before = word.prefix.endswith("/") and word.prefix.strip("/") and not _explain_path(word.prefix + "x")
        if name in loops and (not word.prefix or before) and (not rest or rest.startswith("/")):
            return ""
    return f"which file '{word.raw}' names is only known when it runs"


def _explain_path(path: str, *, exact: bool = True, prefix: str = "") -> str:
    if "//" in path:
        path = re.sub("/+", "/", path)
    if re.search(r"(^|/)\.\.(/|$)", path) and (not exact or re.search(r"(^|/)(dev|proc|sys)(/|$)", path)):
        return f"'{path}' may lead to a device"
    plain = posixpath.normpath(path) if path else ""
    plain = re.sub(r"^(\.\./)+", "", plain)
    if plain in ("/", "//"):
        return "below '/' are files that do something when they are read"
    if not exact and (plain.startswith("/") or path.startswith("/")) and "/" not in prefix.lstrip("/"):
        return f"'{path}' may name a device"
    if _SYSTEM.fullmatch(plain) and not _HARMLESS.fullmatch(plain):
        return f"reading '{path}' may have an effect, or never end"
    return ""


def explain_write(path: str) -> str:
    """Why writing there would destroy data or stop the host, or ''."""
    plain = posixpath.normpath(re.sub("/+", "/", path)) if path else ""
    if _TRIGGER.fullmatch(plain):
        return f"writing to '{path}' can stop the host at once"
    if _BLOCK.match(plain):
        return f"writing to the device '{path}' destroys what is on it"
    return ""
