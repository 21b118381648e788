"""What makes one host differ from the next: written into its own layer before it boots."""

from __future__ import annotations

import os
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

from .commands import run_tool
from .state import locked

USER_ID = 1000


@dataclass(frozen=True)
class Layer:
    """A host's own files (`upper`) over the shared tree (`lower`)."""

    lower: Path
    upper: Path

    def write(self, name: str, text: str, *, mode: int = 0o644, owner: int = 0) -> None:
        """Write a file; folders that the shared tree has keep its mode and owner, new ones belong to `owner`."""
        path = self.upper / name
        self._make_folder(path.parent, owner)
        path.write_text(text)
        path.chmod(mode)
        os.chown(path, owner, owner)

    def read(self, name: str) -> str:
        """The text of a file of the shared tree."""
        return (self.lower / name).read_text()

    def _make_folder(self, folder: Path, owner: int) -> None:
        if folder.is_dir():
            return
        self._make_folder(folder.parent, owner)
        folder.mkdir()
        below = self.lower / folder.relative_to(self.upper)
        if below.is_dir():
            # overlayfs shows the upper folder's attributes
            shutil.copystat(below, folder)
            os.chown(folder, below.stat().st_uid, below.stat().st_gid)
        else:
            folder.chmod(0o700 if folder.name == ".ssh" else 0o755)
            os.chown(folder, owner, owner)


def make_layer(lower: Path, upper: Path) -> Layer:
    """An empty layer."""
    upper.mkdir(parents=True)
    upper.chmod(0o755)  # it becomes the mode of the host's /
    return Layer(lower, upper)


def write_identity(layer: Layer, name: str, proxy: str) -> None:
    """Host name, machine id, name resolution (none) and the way to packages."""
    layer.write("etc/hostname", f"{name}\n")
    layer.write("etc/hosts", f"127.0.0.1 localhost\n127.0.1.1 {name}\n::1 localhost ip6-localhost\n")
    layer.write("etc/machine-id", f"{uuid.uuid4().hex}\n", mode=0o444)
    layer.write("etc/resolv.conf", "# no name server: names fail at once instead of after a timeout\n")
    settings = [f'Acquire::http::Proxy "{proxy}";']
    # the machine's archive may be a copy that is no longer renewed
    settings += ['Acquire::Check-Valid-Until "false";', 'Acquire::Check-Date "false";']
    layer.write("etc/apt/apt.conf.d/90lab", "\n".join(settings) + "\n")


def write_user(layer: Layer, user: str, public_key: str) -> None:
    """An unprivileged user who may use sudo without a password; root gets the same key."""
    layer.write("etc/passwd", layer.read("etc/passwd") + f"{user}:x:{USER_ID}:{USER_ID}::/home/{user}:/bin/bash\n")
    layer.write("etc/group", layer.read("etc/group") + f"{user}:x:{USER_ID}:\n")
    shadow = layer.lower / "etc/shadow"
    layer.write("etc/shadow", layer.read("etc/shadow") + f"{user}:*:19000:0:99999:7:::\n", mode=0o640)
    os.chown(layer.upper / "etc/shadow", 0, shadow.stat().st_gid)
    layer.write(f"etc/sudoers.d/90-{user}", f"{user} ALL=(ALL:ALL) NOPASSWD: ALL\n", mode=0o440)
    for name in (".bashrc", ".profile"):
        layer.write(f"home/{user}/{name}", layer.read(f"etc/skel/{name}"), owner=USER_ID)
    layer.write(f"home/{user}/.ssh/authorized_keys", public_key, mode=0o600, owner=USER_ID)
    layer.write("root/.ssh/authorized_keys", public_key, mode=0o600)


def write_host_key(layer: Layer, folder: Path) -> str:
    """A host key of the host's own; returns its public half as known_hosts wants it (type and key)."""
    path = folder / "host_key"
    run_tool(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)])
    public = path.with_suffix(".pub")
    layer.write("etc/ssh/ssh_host_ed25519_key", path.read_text(), mode=0o600)
    layer.write("etc/ssh/ssh_host_ed25519_key.pub", public.read_text())
    path.unlink()
    return " ".join(public.read_text().split()[:2])


def ensure_user_key(key: Path) -> None:
    """Make the key that logs in to all lab hosts, unless it is there; its public half lies beside it."""
    with locked(key.with_name("lock")):
        if not key.exists():
            key.parent.chmod(0o700)
            key.with_suffix(".pub").unlink(missing_ok=True)
            run_tool(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", str(key)])
