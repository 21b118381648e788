"""The first meeting with a host: which key it presents, before anybody has accepted one."""

from dataclasses import dataclass
from pathlib import Path

from intendant.errors import IntendantError
from intendant.reach.attempt import attempt_login, find_route
from intendant.reach.judging import judge_way
from intendant.reach.reading import read_attempt
from intendant.reach.results import Check
from intendant.reach.route import find_fingerprints, find_known_keys, find_local_keys, judge_jumps, make_target
from intendant.reach.settings import HostSettings


@dataclass(frozen=True)
class Meeting:
    """What came of it.

    Args:
        fingerprint: of the key that the host presents, as ``ED25519 SHA256:…``.
        line: the key as known_hosts has it; empty when this machine knows it already.
        known_hosts: the files in which ssh looks for this host.
        failed: what went wrong, a changed key included.
    """

    fingerprint: str = ""
    line: str = ""
    known_hosts: tuple[str, ...] = ()
    failed: Check | None = None
    changed: bool = False


def meet_host(settings: HostSettings, folder: Path, draft: Path) -> Meeting:
    """Ask the host for its key, without a login. No known_hosts file is written.

    Args:
        folder: where Ansible runs.
        draft: a file that does not exist yet, for the key of a host that is not known.
    """
    try:
        route = find_route(settings, folder)
    except (IntendantError, ValueError) as error:
        return Meeting(failed=Check("settings", False, str(error), str(error)))
    attempt = attempt_login(settings, route, "", folder, only_key=True)
    reading = read_attempt(attempt.log)
    last = route[-1]
    target = make_target(settings, last, folder)
    checks = judge_jumps(settings, route, attempt, folder)
    if all(check.ok for check in checks):
        checks += judge_way(target, reading, find_local_keys(last), find_known_keys(last, reading, folder))
    failed = next((check for check in checks if not check.ok), None)
    known_hosts = last.ssh.known_hosts
    if failed is None or failed.name == "login":
        return Meeting(reading.host_key, known_hosts=known_hosts)
    if failed.name != "host_key" or reading.reason != "unknown":
        return Meeting(reading.host_key, known_hosts=known_hosts, failed=failed, changed=reading.reason == "changed")
    attempt_login(settings, route, "", folder, only_key=True, keep_key=draft)
    line = draft.read_text(encoding="utf-8") if draft.exists() else ""
    if find_fingerprints(draft, folder) != [reading.host_key]:
        problem = "The host presented two different keys in two attempts, or none in the second."
        return Meeting(failed=Check("host_key", False, problem, problem, "Find out what answers at the address."))
    return Meeting(reading.host_key, line, known_hosts)
