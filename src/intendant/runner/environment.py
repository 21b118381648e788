"""The environment that every Ansible process gets."""

import os
import sys
from pathlib import Path

from intendant.config import Config

_NO_SETTINGS = Path(__file__).parents[1] / "ansible" / "no-settings.cfg"


def ansible_environment(config: Config) -> dict[str, str]:
    """The caller's environment (its ``ANSIBLE_*`` settings are part of the digest), plus what the project says."""
    environment = dict(os.environ)
    # The folder of our interpreter first: there ansible-playbook lies, also under uvx and without an active venv.
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", os.defpath)])
    environment["PYTHONUTF8"] = "1"
    environment["LC_ALL"] = "C.UTF-8"
    environment["ANSIBLE_NOCOLOR"] = "1"
    environment["ANSIBLE_LOCALHOST_WARNING"] = "False"
    environment["ANSIBLE_INVENTORY_UNPARSED_WARNING"] = "False"
    if config.read_ansible_setting("defaults", "no_target_syslog") is None:
        # Modules would write their arguments, vaulted values too, into the journal of the host.
        environment.setdefault("ANSIBLE_NO_TARGET_SYSLOG", "True")
    # A source that cannot be read would otherwise be an empty one, and its hosts would silently not be there.
    environment.setdefault("ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED", "True")
    if config.ansible_cfg is not None:
        environment["ANSIBLE_CONFIG"] = str(config.ansible_cfg)
    else:
        # Never an ansible.cfg of the home folder or of /etc: the project would not be the same elsewhere.
        environment["ANSIBLE_CONFIG"] = str(_NO_SETTINGS)
    # ansible-runner switches host key checking off where nothing is set.
    environment.setdefault(
        "ANSIBLE_HOST_KEY_CHECKING", config.read_ansible_setting("defaults", "host_key_checking") or "True"
    )
    if config.read_ansible_setting("ssh_connection", "pipelining") is None and (
        config.read_ansible_setting("connection", "pipelining") is None
    ):
        environment.setdefault("ANSIBLE_PIPELINING", "True")
    return environment
