"""Where roles, modules and collections lie: in the project, where ansible.cfg says, and in this package."""

from pathlib import Path

from intendant.config import Config

_DEFAULT_ROLES = ("~/.ansible/roles", "/usr/share/ansible/roles", "/etc/ansible/roles")
_DEFAULT_COLLECTIONS = ("~/.ansible/collections", "/usr/share/ansible/collections")
_PACKAGE = Path(__file__).parent


def shipped_roles() -> Path:
    """The roles of this distribution: inside the wheel, or at the top of a source checkout."""
    inside = _PACKAGE / "ansible" / "roles"
    return inside if inside.is_dir() else _PACKAGE.parents[1] / "roles"


def shipped_modules() -> Path:
    """The Ansible modules of this distribution."""
    return _PACKAGE / "ansible" / "modules"


def roles_path(config: Config) -> list[Path]:
    """Folders that hold roles, first match wins: the project's, then ansible.cfg's, then ours."""
    return [config.project_dir / "roles", *_setting(config, "roles_path", _DEFAULT_ROLES), shipped_roles()]


def collections_path(config: Config) -> list[Path]:
    """Folders that hold ``ansible_collections``."""
    name = "collections_path"
    return [config.project_dir / "collections", *_setting(config, name, _DEFAULT_COLLECTIONS)]


def configured_plugins(config: Config) -> list[tuple[str, Path]]:
    """Plugin folders that ansible.cfg names, as it names them; they are used from where they are."""
    names = ("library", "module_utils", *(f"{kind}_plugins" for kind in PLUGIN_KINDS))
    return [found for name in names for found in _named(config, name, ())]


PLUGIN_KINDS = (
    "action",
    "become",
    "cache",
    "callback",
    "cliconf",
    "connection",
    "filter",
    "httpapi",
    "inventory",
    "lookup",
    "netconf",
    "strategy",
    "terminal",
    "test",
    "vars",
)
#: what Ansible looks for beside a playbook, and so a snapshot keeps.
ADJACENT = ("library", "module_utils", *(f"{kind}_plugins" for kind in PLUGIN_KINDS), "group_vars", "host_vars")


def _setting(config: Config, name: str, default: tuple[str, ...]) -> list[Path]:
    return [path for _, path in _named(config, name, default)]


def _named(config: Config, name: str, default: tuple[str, ...]) -> list[tuple[str, Path]]:
    value = config.read_ansible_setting("defaults", name)
    entries = [entry.strip() for entry in value.split(":")] if value else list(default)
    return [(entry, (config.project_dir / Path(entry).expanduser()).resolve()) for entry in entries if entry]
