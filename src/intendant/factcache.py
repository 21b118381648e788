"""What hosts said of themselves, kept in the state folder so that asking again costs nothing for a while."""

import hashlib
import json
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from intendant.facts.asking import TopicName
from intendant.facts.reading import Reading
from intendant.inventory import HostEntry

_KEEP = timedelta(days=7)
_WAYS = ("ansible_ssh_args", "ansible_ssh_common_args", "ansible_ssh_extra_args")


class FactCache:
    """One file for each host and topic, readable by its owner only; what it holds is masked already."""

    def __init__(self, state_dir: Path) -> None:
        self._folder = state_dir / "facts"

    def get(self, host: HostEntry, topic: TopicName, *, sudo: bool) -> Reading | None:
        """The last reading of a topic, or None: never asked, or the inventory reaches another machine by now."""
        try:
            return Reading.model_validate_json(self._file(host, topic, sudo=sudo).read_bytes())
        except (FileNotFoundError, ValidationError):  # an older version may have written it
            return None

    def put(self, host: HostEntry, readings: Iterable[Reading], now: datetime, *, sudo: bool) -> None:
        """Keep what a host has just said, and forget what is older than a week."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for reading in readings:
            # Written beside and renamed: another process may read it at this moment. It is made with mode 0600.
            with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=self._folder, delete=False) as written:
                written.write(reading.model_dump_json())
            Path(written.name).replace(self._file(host, reading.topic, sudo=sudo))
        for other in self._folder.iterdir():
            with suppress(FileNotFoundError):  # another process forgets it at the same moment
                if other.stat().st_mtime < (now - _KEEP).timestamp():
                    other.unlink()

    def _file(self, host: HostEntry, topic: TopicName, *, sudo: bool) -> Path:
        # With the way to the host: under the same name another machine may answer tomorrow.
        way = [host.address, host.port, host.user, host.connection, *(host.variables.get(name) for name in _WAYS)]
        mark = json.dumps([host.name, topic, sudo, way], default=str)
        return self._folder / f"{hashlib.sha256(mark.encode('utf-8', 'surrogatepass')).hexdigest()}.json"
