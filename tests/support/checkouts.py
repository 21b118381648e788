"""A project in git, checked out at several places; and another Python with the same packages, for another user."""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

_SYSTEM_PYTHON = "/usr/bin/python3"
_PROGRAM = "#!{python}\nimport sys\nfrom {module} import main\nsys.exit(main())\n"
_PROGRAMS = {"intendant": "intendant.cli", "ansible-playbook": "ansible.cli.playbook"}


def make_repository(folder: Path, variables: Mapping[str, Any], steps: list[dict[str, Any]], policy: str) -> Path:
    """A repository with a project for web1 and one plan file; the login key is no part of it."""
    files = {
        "intendant.toml": "",
        "ansible.cfg": "[defaults]\ninventory = inventory\nprivate_key_file = key\ntimeout = 60\n",
        "inventory/hosts.yml": yaml.safe_dump({"web": {"hosts": {"web1": dict(variables)}}}),
        "intendant.d/web.yml": yaml.safe_dump({"hosts": "web", "steps": steps}),
        "pipeline.toml": policy,
        ".gitignore": "key\nplans/\n.base/\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "as it is"]):
        git(folder, *words)
    return folder


def check_out(repository: Path, folder: Path, key: Path, user: int | None = None) -> Path:
    """A fresh clone with the key that logs in."""
    git(repository, "clone", "-q", str(repository), str(folder))
    shutil.copyfile(key, folder / "key")
    (folder / "key").chmod(0o600)
    if user is not None:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user, user)
    return folder


def git(folder: Path, *words: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "safe.directory=*"]
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


def make_other_python(folder: Path) -> Path | None:
    """The folder of programs of a virtual environment over the system's Python, or None where it is no other one.

    It has what ours has by way of its search path, so its Python must be of the same minor version.
    """
    asked = [_SYSTEM_PYTHON, "-c", "import sys; print(*sys.version_info[:2]); print(sys.base_prefix)"]
    said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.splitlines()
    ours = f"{sys.version_info.major} {sys.version_info.minor}"
    if len(said) != 2 or said[0] != ours or Path(said[1]).resolve() == Path(sys.base_prefix).resolve():
        return None
    subprocess.run([_SYSTEM_PYTHON, "-m", "venv", "--without-pip", folder], check=True, capture_output=True)
    python = folder / "bin" / "python"
    site = folder / "lib" / f"python{ours.replace(' ', '.')}" / "site-packages"
    (site / "ours.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    for name, module in _PROGRAMS.items():
        (folder / "bin" / name).write_text(_PROGRAM.format(python=python, module=module))
        (folder / "bin" / name).chmod(0o755)
    return folder / "bin"
