"""The way to a host: jump hosts in their order, and what this machine knows of each."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from intendant.reach.advice import LocalKeys, Target
from intendant.reach.attempt import Attempt, Hop
from intendant.reach.judging import judge_jump, judge_onward
from intendant.reach.reading import Reading, read_attempt, read_onward
from intendant.reach.results import Check
from intendant.reach.running import plain_environment, run_bounded
from intendant.reach.settings import HostSettings

_KEYGEN_SECONDS = 10


def judge_jumps(settings: HostSettings, route: Sequence[Hop], attempt: Attempt, folder: Path) -> list[Check]:
    """One check for each jump host, up to the one that fails."""
    checks: list[Check] = []
    before: list[str] = []
    *jumps, _ = route
    for number, (hop, log) in enumerate(zip(jumps, attempt.jump_logs, strict=True), start=1):
        passed = read_attempt(log)
        target = make_target(settings, hop, folder, is_jump=True, before=tuple(before))
        checks.append(judge_jump(target, passed, find_local_keys(hop), find_known_keys(hop, passed, folder)))
        if passed.onward:
            further = jumps[number].login if number < len(jumps) else ""
            checks.append(judge_onward(*read_onward(passed.onward), passed.onward, hop.login, further))
        if not checks[-1].ok:
            break
        before.append(hop.login if hop.port is None else f"{hop.login}:{hop.port}")
    return checks


def make_target(
    settings: HostSettings, hop: Hop, folder: Path, *, is_jump: bool = False, before: tuple[str, ...] = ()
) -> Target:
    """What advice about a hop is about."""
    return Target(settings, hop.ssh, hop.login, hop.port, is_jump=is_jump, jumps_before=before, folder=folder)


def find_local_keys(hop: Hop) -> LocalKeys:
    """The private keys that OpenSSH would look at and that exist, and their public halves."""
    found = [path for path in map(Path, hop.ssh.identity_files) if path.exists()]
    public = [Path(f"{path}.pub") for path in found]
    files = tuple((str(path), str(half) if half.exists() else "") for path, half in zip(found, public, strict=True))
    return LocalKeys(files, has_folder=Path("~/.ssh").expanduser().is_dir())


def find_known_keys(hop: Hop, reading: Reading, folder: Path) -> list[str]:
    """The keys that this machine knows for the host, as ``ED25519 SHA256:…``; asked only when that matters."""
    if reading.reason not in ("unknown", "changed") or not reading.key_name:
        return []
    known: list[str] = []
    for file in dict.fromkeys([*filter(None, [reading.known_file]), *hop.ssh.known_hosts]):
        known += _find_keys(reading.key_name, file, folder)
    return list(dict.fromkeys(known))


def _find_keys(name: str, file: str, folder: Path) -> Iterable[str]:
    """``ssh-keygen -F``: lines of name, type and fingerprint."""
    if not (folder / file).is_file():
        return []
    command = ["ssh-keygen", "-l", "-F", name, "-f", file]
    _, printed, _ = run_bounded(command, folder, plain_environment(), "", _KEYGEN_SECONDS)
    rows = [line.split() for line in printed.splitlines() if not line.startswith("#")]
    return [
        f"{row[-2]} {row[-1]}" if row[-1].startswith("SHA256:") else " ".join(row[1:3]) for row in rows if len(row) > 2
    ]


def find_fingerprints(file: Path, folder: Path) -> list[str]:
    """The keys in a known_hosts file, as ``ED25519 SHA256:…``."""
    if not file.is_file():
        return []
    command = ["ssh-keygen", "-l", "-f", str(file)]
    _, printed, _ = run_bounded(command, folder, plain_environment(), "", _KEYGEN_SECONDS)
    rows = [line.split() for line in printed.splitlines()]
    return [f"{row[-1].strip('()')} {row[1]}" for row in rows if len(row) > 2]
