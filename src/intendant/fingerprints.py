"""Fingerprints of files, on disk or in memory alike."""

import hashlib
from collections.abc import Mapping
from pathlib import Path


def hash_file(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes and its executable bit."""
    return hash_content(path.read_bytes(), is_executable(path))


def hash_content(content: bytes, executable: bool) -> str:
    """SHA-256 (hex) of the bytes of a file that can be executed or not."""
    return hashlib.sha256((b"x" if executable else b"-") + content).hexdigest()


def is_executable(path: Path) -> bool:
    """Whether its owner may execute it: by the file alone, for another user's plan of the same files is the same."""
    return bool(path.stat().st_mode & 0o100)


def fingerprint_files(hashes: Mapping[str, str]) -> str:
    """One SHA-256 (hex) over files that are given by name and hash, in whatever order."""
    lines = "".join(f"{name}\0{value}\n" for name, value in sorted(hashes.items()))
    return hashlib.sha256(lines.encode()).hexdigest()
