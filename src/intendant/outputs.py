"""Whole outputs of commands, kept for a day in the state folder so that the rest of a long one can be asked for."""

import json
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from intendant.errors import InputError, NotFoundError

StreamName = Literal["stdout", "stderr"]
_KEEP = timedelta(days=1)
_ID = re.compile(r"command-[0-9a-f]{12}")


class Outputs:
    """One folder for each command, one file for each host."""

    def __init__(self, state_dir: Path) -> None:
        self._folder = state_dir / "outputs"

    def keep(self, output_id: str, outputs: Mapping[str, Mapping[StreamName, str]], now: datetime) -> None:
        """Keep what hosts answered (masked already), and forget what is older than a day."""
        folder = self._folder / output_id
        folder.mkdir(parents=True, mode=0o700)
        # Names of hosts may be anything; the files are numbered.
        index = {host: f"{number}.json" for number, host in enumerate(outputs)}
        for host, streams in outputs.items():
            (folder / index[host]).write_text(json.dumps(dict(streams)), encoding="utf-8")
        (folder / "hosts.json").write_text(json.dumps(index), encoding="utf-8")
        for other in self._folder.iterdir():
            with suppress(FileNotFoundError):  # another process forgets it at the same moment
                if other.stat().st_mtime < (now - _KEEP).timestamp():
                    shutil.rmtree(other, ignore_errors=True)

    def read(self, output_id: str, host: str, stream: StreamName) -> str:
        """One output of one host.

        Raises:
            InputError: no such output: it never was, or is older than a day.
            NotFoundError: it has no such host.
        """
        folder = self._folder / output_id
        if not _ID.fullmatch(output_id) or not (folder / "hosts.json").is_file():
            raise InputError(
                f"output_id: there is no output '{output_id[:40]}'. They are kept for a day; run it again."
            )
        index: dict[str, str] = json.loads((folder / "hosts.json").read_text(encoding="utf-8"))
        if host not in index:
            raise NotFoundError("host", host, index, f"Hosts of {output_id} are meant.")
        text: str = json.loads((folder / index[host]).read_text(encoding="utf-8"))[stream]
        return text
