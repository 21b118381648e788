"""The packages' way into the hosts: one apt-cacher-ng per machine, on the lab's bridge."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from dataclasses import asdict
from pathlib import Path

from .apt import find_archive
from .commands import run_tool
from .errors import LabError
from .network import free_port
from .processes import end_process, start_process
from .state import Process, read_json, runtime_dir, write_json

ARCHIVE = "http://packages.lab.internal/debian"  # exists only inside the cacher, which maps it to the machine's archive


def ensure_cacher(address: str, cache: Path) -> str:
    """The URL of the machine's running cacher, started when there is none. Call it with the machine lock held."""
    record = read_json(runtime_dir() / "cacher.json")
    if record and record["address"] == address and Process(**record["process"]).alive():
        return str(record["url"])
    stop_cacher()
    port = free_port(address, 3142)
    folder = runtime_dir() / "cacher"
    folder.mkdir(parents=True, exist_ok=True)
    lock, packages = _claim_cache(folder, cache)
    try:
        _configure(folder, packages, address, port)
        # it holds the lock too, which so lasts as long as the server
        command = ["apt-cacher-ng", "-c", str(folder), "ForeGround=1"]
        process = start_process(command, folder / "output.log", keep=lock)
    finally:
        os.close(lock)
    url = f"http://{address}:{port}"
    write_json(runtime_dir() / "cacher.json", {"address": address, "url": url, "process": asdict(process)})
    for _ in range(100):
        try:
            socket.create_connection((address, port), timeout=1).close()
            return url
        except OSError:
            time.sleep(0.05)
    stop_cacher()
    raise LabError(f"apt-cacher-ng did not start: {(folder / 'output.log').read_text()[-1000:]}")


def stop_cacher() -> None:
    """End the machine's cacher, if one runs. Call it with the machine lock held."""
    record = read_json(runtime_dir() / "cacher.json")
    if record:
        process = Process(**record["process"])
        if process.alive():
            end_process(process)
    (runtime_dir() / "cacher.json").unlink(missing_ok=True)


def _claim_cache(folder: Path, cache: Path) -> tuple[int, Path]:
    # Two servers over one cache folder spoil it. Whoever comes second (one was lost track of) gets a fresh one.
    shared = cache / "packages"
    for packages in (shared, folder / "packages"):
        packages.mkdir(parents=True, exist_ok=True)
        lock = os.open(packages / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        return lock, packages
    raise LabError(f"both {shared} and {folder} are in use by another apt-cacher-ng")


def _configure(folder: Path, packages: Path, address: str, port: int) -> None:
    lines = [
        f"CacheDir: {packages}",
        f"LogDir: {folder}",
        "SupportDir: /usr/lib/apt-cacher-ng",
        f"BindAddress: {address}",
        f"Port: {port}",
        f"PidFile: {folder / 'pid'}",
        f"SocketPath: {folder / 'socket'}",
        "ExThreshold: 90",
        "VerboseLog: 0",
        f"Remap-lab: {ARCHIVE} ; {find_archive().uri.rstrip('/')}",
    ]
    proxy = run_tool(["apt-config", "shell", "proxy", "Acquire::http::Proxy"], check=False).stdout.strip()
    if proxy.startswith("proxy='http"):
        lines.append(f"Proxy: {proxy.removeprefix('proxy=').strip(chr(39))}")
    (folder / "acng.conf").write_text("\n".join(lines) + "\n")
