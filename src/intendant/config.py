"""Project settings: `intendant.toml`, or a bare Ansible repository with an `ansible.cfg`."""

import hashlib
import os
import tomllib
from configparser import ConfigParser
from configparser import Error as ConfigParserError
from pathlib import Path
from typing import Annotated, Any, Self

from platformdirs import user_state_path
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from intendant.errors import ProjectError
from intendant.policy import Policy

SETTINGS_FILE = "intendant.toml"
#: names a file whose policy holds in place of the project's; relative to the project.
POLICY_VARIABLE = "INTENDANT_POLICY_FILE"


class Config(BaseModel):
    """Settings of one project. Times are seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    project_dir: Path
    state_dir: Path
    ansible_cfg: Path | None = None
    database_url: str = ""
    plan_ttl_seconds: Annotated[int, Field(gt=0)] = 1800
    #: the longest that anyone can ask for; the snapshots of plans are kept for a week.
    plan_ttl_max_seconds: Annotated[int, Field(gt=0, le=7 * 86400)] = 86400
    recheck_after_seconds: Annotated[int, Field(ge=0)] = 120
    forks: Annotated[int, Field(gt=0, le=500)] = 20
    upload_dir: str = "files"
    download_dir: str = "downloads"
    max_file_bytes: Annotated[int, Field(gt=0)] = 100 * 2**20
    passkeys: str = "passkeys.json"
    policy: Policy = Policy()

    @property
    def uploads(self) -> Path:
        """The folder that files for hosts come from, links resolved."""
        return (self.project_dir / self.upload_dir).resolve()

    @property
    def downloads(self) -> Path:
        """The folder that files of hosts are saved to, links resolved."""
        return (self.project_dir / self.download_dir).resolve()

    @property
    def passkeys_file(self) -> Path:
        """The file of the keys that may approve."""
        return self.project_dir / self.passkeys

    @model_validator(mode="after")
    def _keep_folders_apart(self) -> Self:
        # A model names files in them: neither settings nor roles, inventory or keys may be among these.
        for name, folder in (("upload_dir", self.uploads), ("download_dir", self.downloads)):
            for other in (self.project_dir, self.state_dir, self.passkeys_file):
                if other.resolve().is_relative_to(folder):
                    raise ValueError(f"{name}: {folder} holds {other}. Name a folder that is for such files alone.")
        return self

    def read_ansible_setting(self, section: str, key: str) -> str | None:
        """A value of ansible.cfg as written there, or None."""
        if self.ansible_cfg is None:
            return None
        parser = ConfigParser(interpolation=None, strict=False, inline_comment_prefixes=(";",))
        try:
            parser.read(self.ansible_cfg, encoding="utf-8")
        except (ConfigParserError, UnicodeDecodeError) as error:
            raise ProjectError(f"{self.ansible_cfg} cannot be read: {error}") from error
        return parser.get(section, key, fallback=None)


def find_project(start: Path) -> Path:
    """The nearest folder at or above ``start`` with an intendant.toml, else with an ansible.cfg.

    Raises:
        ProjectError: there is neither.
    """
    start = start.resolve()
    for marker in (SETTINGS_FILE, "ansible.cfg"):
        for folder in (start, *start.parents):
            if (folder / marker).is_file():
                return folder
    raise ProjectError(
        f"No project at {start}: neither intendant.toml nor ansible.cfg here or above. "
        "Run 'intendant init', or name a folder with --project."
    )


def load_config(start: Path | None = None) -> Config:
    """Read the settings of the project around ``start`` (default: the working folder).

    Raises:
        ProjectError: no project, or a setting that is unknown or of the wrong type.
    """
    project = find_project(start or Path.cwd())
    settings = project / SETTINGS_FILE
    values = _read_toml(settings) if settings.is_file() else {}
    for reserved in ("project_dir", "ansible_cfg"):
        if reserved in values:
            raise ProjectError(f"{settings}: {reserved} cannot be set here.")
    state = os.environ.get("INTENDANT_STATE_DIR") or values.pop("state_dir", None)
    values.pop("state_dir", None)
    cfg = project / "ansible.cfg"
    if other := os.environ.get(POLICY_VARIABLE):
        settings = (project / other).resolve()
        values["policy"] = _read_policy(settings)
    try:
        return Config(
            project_dir=project,
            state_dir=(project / str(state)).resolve() if state else default_state_dir(project),
            ansible_cfg=cfg if cfg.is_file() else None,
            **values,
        )
    except ValidationError as error:
        raise ProjectError(f"{settings}: {describe_invalid(error)}") from error


def _read_policy(path: Path) -> object:
    """The policy of another file: that of a pipeline, say, where persons approve elsewhere."""
    found = _read_toml(path)
    if found.keys() != {"policy"}:
        raise ProjectError(f"{path}: {POLICY_VARIABLE} names a file with a [policy] table and nothing else.")
    return found["policy"]


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProjectError(f"{path}: {error}") from error
    except OSError as error:
        raise ProjectError(f"{path}: {error.strerror}.") from error


def default_state_dir(project: Path) -> Path:
    """A folder of the user's own state for this project, outside of its repository."""
    mark = hashlib.sha256(str(project).encode()).hexdigest()[:8]
    return user_state_path("intendant") / f"{project.name}-{mark}"


def describe_invalid(error: ValidationError) -> str:
    """Pydantic's findings as one line that names each field."""
    return "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors(include_url=False))
