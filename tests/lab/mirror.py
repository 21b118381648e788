"""A Python build for the hosts, served the way python-build-standalone publishes its own."""

from __future__ import annotations

import hashlib
import json
import socket
import sys
import time
from pathlib import Path

from .errors import LabError
from .labs import Lab
from .network import free_port
from .python_build import TAG, ensure_build
from .state import machine_lock, read_json, write_json


class PythonMirror:
    """Serves one build on the lab's address until the lab closes.

    Below `url`: `latest-release.json`, `<tag>/SHA256SUMS` and `<tag>/cpython-<version>+<tag>-…-install_only.tar.gz`.
    Raises LabError when this machine has no Python that runs elsewhere.
    """

    def __init__(self, lab: Lab) -> None:
        self._record = lab.folder / "mirror.json"
        if read_json(self._record) is None:
            self._serve(lab, ensure_build(lab.cache))
        data = read_json(self._record) or {}
        self.url: str = data["url"]
        self.version: str = data["version"]
        self.tag = TAG

    @property
    def series(self) -> str:
        """The version without its last number, as in `3.12`."""
        return self.version.rpartition(".")[0]

    @property
    def filename(self) -> str:
        """The archive's file name below `<url>/<tag>/`."""
        return str((read_json(self._record) or {})["filename"])

    @classmethod
    def find(cls, lab: Lab) -> PythonMirror | None:
        """The mirror that the lab has already, None when it has none."""
        return cls(lab) if (lab.folder / "mirror.json").exists() else None

    def _serve(self, lab: Lab, build: Path) -> None:
        root = lab.directory / "mirror"
        (root / TAG).mkdir(parents=True, exist_ok=True)
        (root / TAG / build.name).symlink_to(build)
        digest = hashlib.sha256(build.read_bytes()).hexdigest()
        (root / TAG / "SHA256SUMS").write_text(f"{digest}  {build.name}\n")
        with machine_lock():  # nobody else takes the port between choosing it and listening on it
            port = free_port(lab.address, 8000)
            url = f"http://{lab.address}:{port}"
            release = {"version": 1, "tag": TAG, "release_url": f"{url}/{TAG}/", "asset_url_prefix": f"{url}/{TAG}"}
            (root / "latest-release.json").write_text(json.dumps(release))
            command = [sys.executable, "-m", "http.server", "--bind", lab.address, "--directory", str(root), str(port)]
            server = lab.spawn(command)
            deadline = time.monotonic() + 10
            while not _listens(lab.address, port):
                if not server.alive() or time.monotonic() > deadline:
                    raise LabError(f"the Python mirror did not start on {url}")
                time.sleep(0.05)
        version = build.name.removeprefix("cpython-").partition("+")[0]
        write_json(self._record, {"url": url, "version": version, "filename": build.name})


def _listens(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=1).close()
    except OSError:
        return False
    return True
