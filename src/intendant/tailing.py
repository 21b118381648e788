"""Showing the end of a log of hosts."""

from typing import NamedTuple

from intendant.logs import LogGroup, LogQuery, build_log_command, group_logs
from intendant.reads import HostReader

_SECONDS = 30


class LogResult(NamedTuple):
    """The ends of logs. ``output_id`` is set where more of them is kept than is shown."""

    groups: tuple[LogGroup, ...]
    output_id: str = ""


class LogTailer:
    """Reads logs; never follows them."""

    def __init__(self, reader: HostReader) -> None:
        self._reader = reader

    def tail_log(self, pattern: str, query: LogQuery, *, sudo: bool = False) -> LogResult:
        """The last lines of a unit's journal, or of a file, on the hosts that ``pattern`` matches.

        Raises:
            InputError: the pattern or the query is wrong.
            PolicyError: the policy allows no commands on one of the hosts, or fewer hosts.
            EngineError: Ansible could not be started, or the inventory not be read.
        """
        command = build_log_command(query)
        view = self._reader.find_hosts(pattern)
        outputs = self._reader.read(view.hosts, command, sudo=sudo, timeout=_SECONDS)
        groups = group_logs(query, outputs)
        return LogResult(groups, self._reader.keep(outputs) if any(group.truncated for group in groups) else "")
