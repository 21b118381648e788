"""The rows that topics consist of. Sizes are bytes, ports are numbers, times are ISO 8601 in UTC; None: not known."""

from pydantic import BaseModel, ConfigDict, model_validator

_MAX_TEXT = 200


class Fact(BaseModel):
    """One row; ``name`` is what rows are looked for by. Long texts are cut: what hosts say has any length."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str

    @model_validator(mode="before")
    @classmethod
    def _cut(cls, values: dict[str, object]) -> dict[str, object]:
        return {key: _cut_texts(value) for key, value in values.items()}


def _cut_texts(value: object) -> object:
    if isinstance(value, str) and len(value) > _MAX_TEXT:
        return value[: _MAX_TEXT - 1] + "…"
    return tuple(_cut_texts(item) for item in value[:_MAX_TEXT]) if isinstance(value, list | tuple) else value


class SystemFact(Fact):
    """The one row of `system`; ``name`` is the host's own."""

    os: str = ""
    os_id: str = ""
    os_version: str = ""
    kernel: str = ""
    architecture: str = ""
    cpus: int | None = None
    load: float | None = None
    memory_bytes: int | None = None
    memory_available_bytes: int | None = None
    swap_bytes: int | None = None
    booted_at: str = ""
    timezone: str = ""


class PackageFact(Fact):
    """One installed package."""

    version: str
    architecture: str = ""


class ServiceFact(Fact):
    """One systemd service: ``active`` (failed, active, inactive), ``state`` (running, exited, dead), ``enabled``."""

    active: str
    state: str = ""
    enabled: str = ""


class DiskFact(Fact):
    """A mounted file system by its mount point, or a block device (``kind`` disk, part, lvm, crypt …) by its name."""

    kind: str
    size_bytes: int
    used_bytes: int | None = None
    free_bytes: int | None = None
    type: str = ""
    device: str = ""
    mount: str = ""


class NetworkFact(Fact):
    """One interface, with its addresses in CIDR form and the gateways of the default routes over it."""

    state: str
    mac: str = ""
    mtu: int | None = None
    addresses: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()


class ResolverFact(Fact):
    """The name servers of /etc/resolv.conf, which is its ``name``."""

    nameservers: tuple[str, ...]
    search: tuple[str, ...] = ()


class UserFact(Fact):
    """An account of a person, or one that can log in."""

    uid: int
    groups: tuple[str, ...] = ()
    home: str = ""
    shell: str = ""


class PortFact(Fact):
    """A port that is listened on, such as ``tcp/22``; ``process`` is empty where the login may not see it."""

    port: int
    protocol: str
    address: str
    process: str = ""
