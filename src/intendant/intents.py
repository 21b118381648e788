"""Intents: what can be asked for, and the words that ask for it. Pure data, no I/O."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from intendant.errors import InputError

#: the intent that runs a shell command: words never lead to it, and a policy may refuse some commands.
COMMAND = "command"
FROM_VAR = "from_var"


class Step(BaseModel):
    """One intent with its params; a plan holds one or more of them, in order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    intent: str
    params: dict[str, JsonValue] = Field(default_factory=dict)


def join_steps(steps: Sequence[Step]) -> list[Step]:
    """The steps, with neighbours joined that ask one intent for more items of one list."""
    joined: list[Step] = []
    for step in steps:
        if joined and (both := _join(joined[-1], step)):
            joined[-1] = both
        else:
            joined.append(step)
    return joined


def _join(first: Step, second: Step) -> Step | None:
    if first.intent != second.intent or first.params.keys() != second.params.keys():
        return None
    differing = [name for name, value in second.params.items() if first.params[name] != value]
    if len(differing) != 1:
        return None
    old, new = (step.params[differing[0]] for step in (first, second))
    if not isinstance(old, list) or not isinstance(new, list):
        return None
    items = [*old, *(item for item in new if item not in old)]
    return second.model_copy(update={"params": {**second.params, differing[0]: items}})


class Frame(BaseModel):
    """Words for an intent that may stand in any order: templates as in phrases, see ``frames``.

    ``things`` are what it is called, ``orders`` what asks for it besides "install", "remove" and the like, ``parts``
    what else may be said. Of each entry of ``needs``, params split by "|", one has to be said unless something is
    removed. Where ``bare``, a thing alone stands for setting it up: "docker on web1".
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    things: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    bare: bool = True

    def templates(self) -> tuple[str, ...]:
        """All its templates."""
        return self.things + self.orders + self.parts


class ExportRules(BaseModel):
    """How the steps of an intent bear on each other, so that a history can be told without what was undone.

    Without ``identity`` and ``each`` only a step that is repeated right away is left out.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    #: params that say which thing a step is about ("a|b": the first that is given); none: there is one on a host.
    identity: list[str] | None = None
    #: lists that a step adds to: the param, and which keys of an item say what it is about (none: the whole item).
    items: dict[str, list[str]] = {}
    #: the list whose items are things of their own, which the other params only qualify; ``key`` as in ``items``, of
    #: texts what their name ends at.
    each: str = ""
    key: list[str] = []
    #: what a step does not name stays as it is, rather than get its default.
    partial: bool = False
    #: params of which naming one takes the others back.
    either: list[str] = []
    #: values of params with which a step acts every time anew.
    once: dict[str, list[str]] = {}
    #: params that are secret where another one, such as ``file_sensitive``, is true.
    sensitive: dict[str, list[str]] = {}
    #: the thing is brought, and taken away, by steps of other intents that name it.
    goes_with_others: bool = False

    @property
    def is_told(self) -> bool:
        """It is known what steps are about."""
        return self.identity is not None or bool(self.each)


class Intent(BaseModel):
    """A role with ``meta/argument_specs.yml``, and what its optional ``meta/intent.yml`` says.

    ``options`` is the ``main`` entry point of the specification as Ansible defines it
    (docs.ansible.com, "Role argument validation").
    """

    model_config = ConfigDict(frozen=True)

    name: str
    title: str
    description: str = ""
    path: str
    options: dict[str, dict[str, Any]]
    defaults: dict[str, Any] = Field(default_factory=dict)
    phrases: tuple[str, ...] = ()
    frame: Frame = Frame()
    tags: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()
    #: params that name a file of the machine that Intendant runs on.
    uploads: tuple[str, ...] = ()
    undo: str = ""
    changes: str = ""
    #: a request in words, with a host called web1, that needs nothing else to be understood.
    example: str = ""
    platforms: tuple[str, ...] = ()
    export: ExportRules = ExportRules()

    def required(self) -> list[str]:
        """Names of the params without which the intent cannot be planned."""
        return [name for name, option in self.options.items() if option.get("required")]

    def effective(self, params: Mapping[str, JsonValue], name: str) -> JsonValue:
        """The value that a param has, given or by default."""
        value: JsonValue = params[name] if name in params else self.options.get(name, {}).get("default")
        return value

    def secret_params(self) -> frozenset[str]:
        """Names of the params whose values are never shown."""
        return frozenset(name for name, option in self.options.items() if option.get("no_log"))


def referenced_variable(value: JsonValue) -> str | None:
    """The variable that ``{"from_var": NAME}`` names, or None when the value is no reference.

    Raises:
        InputError: the object has other keys, or NAME is no identifier.
    """
    if not isinstance(value, dict) or FROM_VAR not in value:
        return None
    name = value[FROM_VAR]
    if len(value) != 1 or not isinstance(name, str) or not name.isascii() or not name.isidentifier():
        raise InputError('A reference has the form {"from_var": "variable_name"} and nothing else.')
    return name
