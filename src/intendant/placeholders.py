"""Names of variables in place of secrets that the history does not hold. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from intendant.intents import FROM_VAR, Intent, Step
from intendant.plans import SENSITIVE


class Placeholders:
    """Puts ``{"from_var": "vault_…"}`` where a stored param is masked, wholly or in part, or marked as sensitive.

    ``names`` says of each variable what it is for. The same secret of the same thing has one name.
    """

    def __init__(self) -> None:
        self.names: dict[str, str] = {}

    def fill(self, intent: Intent, params: Mapping[str, Any], plan_id: str) -> Step:
        """The step without masks."""
        rules = intent.export
        hidden = {name for flag, names in rules.sensitive.items() if params.get(flag) for name in names}
        identity = [name for names in rules.identity or [] for name in names.split("|") if name not in hidden]
        about = [params.get(name) for name in identity]
        thing = [value for value in about if isinstance(value, str) and SENSITIVE not in value]

        def replace(value: Any, param: str, path: tuple[str, ...]) -> Any:
            if isinstance(value, dict):
                return {key: replace(item, param, (*path, key)) for key, item in value.items()}
            if isinstance(value, list):
                items = enumerate(value, start=1)
                return [replace(item, param, (*path, _name_item(item, number))) for number, item in items]
            if not isinstance(value, str) or (param not in hidden and SENSITIVE not in value):
                return value
            return {FROM_VAR: self._name("_".join(("vault", param, *thing, *path)), f"{param} of {plan_id}")}

        return Step(intent=intent.name, params={name: replace(value, name, ()) for name, value in params.items()})

    def _name(self, words: str, purpose: str) -> str:
        name = re.sub(r"[^A-Za-z0-9]+", "_", words).strip("_").lower()
        self.names.setdefault(name, purpose)
        return name


def _name_item(item: Any, number: int) -> str:
    name = item.get("name") if isinstance(item, dict) else None
    return name if isinstance(name, str) else str(number)
