"""Packing a Python of this machine so that it runs on a minimal host, unpacked anywhere."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .commands import run_tool
from .errors import LabError
from .state import locked

SERIES = "3.12"
TAG = "20250101"  # of the release that the mirror pretends to be
RECIPE = 2  # raise it when packing changes
ASK = "import json,sys,os; print(json.dumps([sys.base_prefix, '.'.join(map(str, sys.version_info[:3])), os.__file__]))"
CHECK = "import sys, ssl, sqlite3, ctypes, venv, ensurepip, asyncio; print(sys.prefix)"
# what a minimal Debian host with python3 has; an extension module that needs more is left out
HOST_LIBRARIES = re.compile(
    r"statically$|linux-vdso|ld-linux|lib(c|m|dl|rt|util|pthread|crypt|ssl|crypto|ffi|sqlite3|z|bz2|lzma|uuid|readline|ncursesw|tinfo"
    r"|panelw|expat|python3)\b"
)
UNWANTED = ("__pycache__", "test", "tests", "idlelib", "turtledemo", "config-*", "*.a", "site-packages")


@dataclass(frozen=True)
class Interpreter:
    """An installed Python: where its tree begins, and its version as in `3.12.1`."""

    prefix: Path
    version: str

    @property
    def series(self) -> str:
        """As in `3.12`."""
        return self.version.rpartition(".")[0]


def ensure_build(cache: Path) -> Path:
    """The packed build in the cache, made when there is none (some seconds). Raises LabError."""
    folder = cache / "python" / str(RECIPE)
    with locked(folder / "lock"):
        for path in sorted(folder.glob(f"cpython-*+{TAG}-{platform.machine()}-*.tar.gz")):
            return path
        refused = []
        for found in find_interpreters():
            try:
                return _pack(found, folder)
            except LabError as error:
                refused.append(f"{found.prefix}: {error}")
    raise LabError(f"no Python here that runs elsewhere; install {SERIES} with uv or pyenv. {'; '.join(refused)}")


def find_interpreters() -> Iterator[Interpreter]:
    """Pythons with a tree of their own: those of the wanted series first, then the one that runs this."""
    home = Path.home()
    pyenv = Path(os.environ.get("PYENV_ROOT") or home / ".pyenv")
    name = f"python{SERIES}"
    candidates = [Path(folder) / name for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    candidates += sorted(pyenv.glob(f"versions/{SERIES}.*/bin/{name}"), reverse=True)
    candidates += sorted(home.glob(f".local/share/uv/python/cpython-{SERIES}.*/bin/{name}"), reverse=True)
    candidates += sorted(Path("/usr/lib").glob(f"*/bin/{name}"))
    seen = set()
    for path in [*candidates, Path(sys.executable)]:
        # a launcher script (pyenv has such) may point to a version that is not installed
        said = run_tool([str(path), "-I", "-c", ASK], check=False).stdout if path.is_file() else ""
        if not said.strip():
            continue
        prefix, version, library = json.loads(said)
        own = Path(library).is_relative_to(prefix) and prefix not in ("/usr", "/usr/local")
        if own and prefix not in seen:
            seen.add(prefix)
            yield Interpreter(Path(prefix), version)


def _pack(source: Interpreter, folder: Path) -> Path:
    name = f"cpython-{source.version}+{TAG}-{platform.machine()}-unknown-linux-gnu-install_only.tar.gz"
    with tempfile.TemporaryDirectory(dir=folder) as work:
        tree = Path(work) / "python"
        _copy(source, tree)
        _check(source, tree)
        archive = Path(work) / name
        with tarfile.open(archive, "w:gz", compresslevel=6) as tar:
            tar.add(tree, "python", filter=_as_root)
        os.replace(archive, folder / name)
    return folder / name


def _copy(source: Interpreter, tree: Path) -> None:
    python, library = f"python{source.series}", f"lib/python{source.series}"
    (tree / "bin").mkdir(parents=True)
    shutil.copy2(source.prefix / "bin" / python, tree / "bin" / python)
    for link in ("python3", "python"):
        (tree / "bin" / link).symlink_to(python)
    shutil.copytree(source.prefix / library, tree / library, ignore=shutil.ignore_patterns(*UNWANTED), symlinks=True)
    for path in (source.prefix / library / "site-packages").glob("pip*"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(path, tree / library / "site-packages" / path.name, ignore=ignore)
    pip = tree / "bin" / "pip3"
    pip.write_text(f'#!/bin/sh\nexec "$(dirname "$(realpath "$0")")/{python}" -m pip "$@"\n')
    pip.chmod(0o755)
    for path in (source.prefix / "lib").glob("libpython*.so*"):
        shutil.copy2(path, tree / "lib" / path.name, follow_symlinks=False)
    for path in (tree / library / "lib-dynload").glob("*.so"):
        if not all(HOST_LIBRARIES.match(Path(needed).name) for needed in _needs(path)):
            path.unlink()
    _look_beside(tree / "bin" / python, source.prefix / "lib")
    if shutil.which("strip"):
        binaries = [tree / "bin" / python, *tree.glob("lib/libpython*.so.*"), *tree.glob(f"{library}/lib-dynload/*.so")]
        run_tool(["strip", "--strip-unneeded", *map(str, binaries)])


def _look_beside(binary: Path, folder: Path) -> None:
    """Make a binary that was linked to look for libpython in `folder` look for it next to itself."""
    # in place, over the longer path in its string table, so that no ELF tool is needed
    absolute, relative = bytes(folder), b"$ORIGIN/../lib"
    content = binary.read_bytes()
    if len(absolute) >= len(relative):
        binary.write_bytes(content.replace(absolute + b"\0", relative.ljust(len(absolute), b"\0") + b"\0"))


def _check(source: Interpreter, tree: Path) -> None:
    python = tree / "bin" / f"python{source.series}"
    if str(source.prefix) in run_tool(["ldd", str(python)]).stdout:
        raise LabError("it loads a library from where it is installed")
    said = run_tool([str(python), "-I", "-B", "-c", CHECK], env={"PATH": "/usr/bin:/bin"}).stdout.strip()
    if Path(said) != tree:
        raise LabError(f"moved to {tree}, it still looks in {said}")


def _needs(path: Path) -> list[str]:
    lines = run_tool(["ldd", str(path)], check=False).stdout.splitlines()
    return [line.split()[0] for line in lines if line.split()]


def _as_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry
