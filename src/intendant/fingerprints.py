"""Fingerprints of files, on disk or in memory alike."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

_CHUNK_BYTES = 1 << 20


def hash_file(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes and its executable bit."""
    digest = hashlib.sha256(_mark(is_executable(path)))
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def hash_content(content: bytes, executable: bool) -> str:
    """SHA-256 (hex) of the bytes of a file that can be executed or not."""
    return hashlib.sha256(_mark(executable) + content).hexdigest()


def is_executable(path: Path) -> bool:
    """Whether its owner may execute it: by the file alone, for another user's plan of the same files is the same."""
    return bool(path.stat().st_mode & 0o100)


def fingerprint_files(hashes: Mapping[str, str]) -> str:
    """One SHA-256 (hex) over files that are given by name and hash, in whatever order."""
    lines = "".join(f"{name}\0{value}\n" for name, value in sorted(hashes.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def _mark(executable: bool) -> bytes:
    return b"x" if executable else b"-"
