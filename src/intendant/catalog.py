"""The catalog of intents: which roles of the search path can be asked for, and whether params fit them."""

import re
from collections.abc import Callable, Hashable, Iterator, Sequence
from pathlib import Path
from typing import Any

from intendant.errors import InputError, NotFoundError, PolicyError, ProjectError
from intendant.intents import Intent, Step
from intendant.params import check_params
from intendant.roles import is_role, read_role, role_signature
from intendant.schemas import params_schema

# A dot in the name of a role would make Ansible look for a collection.
_ROLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_HOW_TO_SPECIFY = (
    "There is a role of that name, {folder}, but no meta/argument_specs.yml in it says which params it takes. "
    "'intendant intents --draft-spec {name}' prints a draft to start from."
)
_COLLECTION_PART = re.compile(r"[a-z_][a-z0-9_]*")


class Catalog:
    """The intents of a project.

    ``search_path`` holds folders of roles, ``collections_path`` folders that have ``ansible_collections`` (or are it);
    earlier entries win, as they do in Ansible, even when the winner is broken or no intent. Files are read again when
    they change, so that a server that runs for weeks sees new roles.
    """

    def __init__(self, search_path: Sequence[Path], collections_path: Sequence[Path] = ()) -> None:
        self._search_path = tuple(search_path)
        self._collections_path = tuple(
            path if path.name == "ansible_collections" else path / "ansible_collections" for path in collections_path
        )
        self._read: dict[Path, tuple[Hashable, Intent | ProjectError | None]] = {}

    def get(self, name: str) -> Intent:
        """The intent of that name.

        Raises:
            NotFoundError: there is none; the message has the nearest names, or how to make an intent of the role.
            ProjectError: there is one, but a file of its role cannot be used.
        """
        folder = self._role_folders().get(name)
        found = self._load(name, folder) if folder else None
        if folder and found is None:
            raise NotFoundError("intent", name, (), _HOW_TO_SPECIFY.format(name=name, folder=folder))
        if isinstance(found, ProjectError):
            raise ProjectError(f"Intent {name} cannot be used: {found}")
        if found is None:
            raise NotFoundError("intent", name, [intent.name for intent in self.list()])
        return found

    def role_dir(self, name: str) -> Path:
        """The folder of the intent's role. Raises as ``get`` does."""
        return Path(self.get(name).path)

    def unspecified_dir(self, name: str) -> Path:
        """The folder of a role that is no intent because it has no argument specification.

        Raises:
            NotFoundError: there is no role of that name. InputError: it has a specification.
        """
        folders = self._role_folders()
        if name not in folders:
            raise NotFoundError("role", name, folders)
        if self._load(name, folders[name]) is not None:
            raise InputError(f"The role {name} has an argument specification: see {folders[name] / 'meta'}.")
        return folders[name]

    def unspecified(self) -> tuple[str, ...]:
        """Names of roles that are no intents because they have no argument specification."""
        folders = sorted(self._role_folders().items())
        return tuple(name for name, folder in folders if is_role(folder) and self._load(name, folder) is None)

    def problems(self) -> tuple[str, ...]:
        """A sentence for each role that is left out because one of its files cannot be used."""
        loaded = [self._load(name, folder) for name, folder in sorted(self._role_folders().items())]
        return tuple(str(found) for found in loaded if isinstance(found, ProjectError))

    def validate_steps(self, steps: Sequence[Step], allowed_from_var: Callable[[str], bool]) -> tuple[Step, ...]:
        """The steps, when each names an intent and its params fit; nothing in them is coerced.

        Raises:
            InputError: no steps, or params that do not fit. NotFoundError: an unknown intent.
            PolicyError: a ``{"from_var": NAME}`` whose name ``allowed_from_var`` refuses.
        """
        if not steps:
            raise InputError('steps is empty: send at least one {"intent": ..., "params": {...}}.')
        checked = []
        for number, step in enumerate(steps, start=1):
            intent = self.get(step.intent)
            try:
                params = check_params(intent, step.params, allowed_from_var)
            except (InputError, PolicyError) as error:
                where = f"Step {number} ({intent.name})" if len(steps) > 1 else intent.name
                raise type(error)(f"{where}: {error}") from None
            checked.append(Step(intent=intent.name, params=params))
        return tuple(checked)

    @staticmethod
    def json_schema(intent: Intent) -> dict[str, Any]:
        """JSON Schema of the intent's params."""
        return params_schema(intent)

    def _role_folders(self) -> dict[str, Path]:
        folders: dict[str, Path] = {}
        for root in self._search_path:
            for folder in _subfolders(root, _ROLE_NAME):
                folders.setdefault(folder.name, folder)
        collections: dict[str, Path] = {}
        for root in self._collections_path:
            for namespace in _subfolders(root, _COLLECTION_PART):
                for collection in _subfolders(namespace, _COLLECTION_PART):
                    collections.setdefault(f"{namespace.name}.{collection.name}", collection)
        for prefix, collection in collections.items():
            for folder in _subfolders(collection / "roles", _COLLECTION_PART):
                folders[f"{prefix}.{folder.name}"] = folder
        return folders

    def _load(self, name: str, folder: Path) -> Intent | ProjectError | None:
        signature = role_signature(folder)
        known = self._read.get(folder)
        if known and known[0] == signature:
            return known[1]
        found: Intent | ProjectError | None
        try:
            found = read_role(name, folder)
        except ProjectError as error:
            found = error
        self._read[folder] = (signature, found)
        return found

    # Last, because its name hides the builtin from here on.
    def list(self) -> list[Intent]:
        """All intents, sorted by name; roles that cannot be used are left to ``problems``."""
        loaded = [self._load(name, folder) for name, folder in sorted(self._role_folders().items())]
        return [found for found in loaded if isinstance(found, Intent)]


def _subfolders(root: Path, names: re.Pattern[str]) -> Iterator[Path]:
    try:
        entries = sorted(root.iterdir())
    except OSError:
        return
    yield from (entry for entry in entries if names.fullmatch(entry.name) and entry.is_dir())
