"""The data: which commands which intents do as well. From ``entries.yml``, checked when loaded."""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, NamedTuple, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, ValidationError, model_validator

from intendant.errors import ProjectError
from intendant.plainyaml import YamlReader
from intendant.shell.rules import Names, Rule

SHIPPED = Path(__file__).with_name("entries.yml")
#: a slot in a command or behind an option: ``NAME``, several as ``NAME...``, several split at commas as ``NAME,``
_SLOT = re.compile(r"([A-Z][A-Z_]*)(\.\.\.|,)?")
#: a slot's value in a param; ``{NAME...}`` as an item of a list stands for all of them
PLACE = re.compile(r"\{([A-Z][A-Z_]*)(\.\.\.)?\}")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Slot(_Part):
    """What a word must look like, as a regular expression; its named groups are slots too. ``number``: becomes one."""

    pattern: str
    number: bool = False

    @model_validator(mode="after")
    def _check(self) -> Self:
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ValueError(f"pattern: '{self.pattern}' is no regular expression: {error}") from None
        return self

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The slots that its groups are."""
        return tuple(re.compile(self.pattern).groupindex)


class Operand(NamedTuple):
    """One place behind the program: a slot, or else one of these words."""

    slot: str
    many: bool
    words: tuple[str, ...]


class Option(NamedTuple):
    """``names`` of one option, first the one that ``needs`` has; ``slot`` of its value or '', ``commas`` split it."""

    names: tuple[str, ...]
    slot: str
    commas: bool
    params: Mapping[str, JsonValue]


def _split_option(key: str, params: Mapping[str, JsonValue]) -> Option:
    names = [word for word in key.split() if word.startswith("-")]
    rest = [word for word in key.split() if not word.startswith("-")]
    found = _SLOT.fullmatch(rest[0]) if len(rest) == 1 else None
    if not names or (rest and (found is None or found[2] == "...")):
        raise ValueError(f"options: '{key}' is no option names with one slot behind them, as in '-s --shell SHELL'")
    return Option(tuple(names), found[1] if found else "", bool(found and found[2]), params)


class Entry(_Part):
    """A form of a command, and what does the same.

    ``command``: the program, or several with ``|``, and its operands; a word in capitals is a slot. ``options``: all
    that may be given, anywhere, with the params that they add, none for one that makes no difference to the host;
    ``needs`` are those that must be. ``root``: only as root, since what it makes belongs to whoever runs it.

    ``intent`` with ``params`` is the step; ``each`` is a slot, each value of which makes a step of its own. Instead of
    them ``before``: the command adds nothing where the step behind it is of one of these intents and has these values,
    any value of a list. ``differs``: what the step does otherwise where the command succeeds, to go on a sentence.
    """

    command: str
    options: Mapping[str, Mapping[str, JsonValue]] = Field(default_factory=dict)
    needs: Names = ()
    root: bool = False
    intent: str = ""
    params: Mapping[str, JsonValue] = Field(default_factory=dict)
    each: str = ""
    before: Mapping[str, Mapping[str, list[JsonValue]]] = Field(default_factory=dict)
    differs: str = ""

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = [name for option in self.all_options for name in option.names]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"options: there twice: {', '.join(twice)}")
        if lost := set(self.needs) - {option.names[0] for option in self.all_options}:
            raise ValueError(f"needs: not the first name of an option: {', '.join(sorted(lost))}")
        if bool(self.intent) == bool(self.before):
            raise ValueError("give either intent or before")
        many = [operand.slot for operand in self.operands if operand.many]
        if len(many) > 1 or (self.each and self.each not in many):
            raise ValueError("only one slot may stand for several words, and each must be that one")
        return self

    @cached_property
    def programs(self) -> tuple[str, ...]:
        """The programs that it is about."""
        return tuple(self.command.split()[0].split("|"))

    @cached_property
    def operands(self) -> tuple[Operand, ...]:
        """What stands behind the program."""
        found = []
        for word in self.command.split()[1:]:
            slot = _SLOT.fullmatch(word)
            found.append(Operand(slot[1], bool(slot[2]), ()) if slot else Operand("", False, tuple(word.split("|"))))
        return tuple(found)

    @cached_property
    def all_options(self) -> tuple[Option, ...]:
        """The options, each with all its names."""
        return tuple(_split_option(key, params) for key, params in self.options.items())

    @cached_property
    def rule(self) -> Rule:
        """How its words are sorted into options and operands."""
        if not self.options:
            return Rule(style="plain")
        flags = [name for option in self.all_options if not option.slot for name in option.names]
        values = [name for option in self.all_options if option.slot for name in option.names]
        return Rule(flags=tuple(flags), values=tuple(values))


def _read_slot(value: object) -> object:
    """A pattern may stand alone, and be a list of its pieces."""
    if isinstance(value, list) and all(isinstance(piece, str) for piece in value):
        value = "".join(value)
    return {"pattern": value} if isinstance(value, str) else value


class Entries(_Part):
    """All entries by name, and the slots that they use."""

    slots: Mapping[str, Annotated[Slot, BeforeValidator(_read_slot)]]
    entries: Mapping[str, Entry]

    @model_validator(mode="after")
    def _check(self) -> Self:
        used: set[str] = set()
        for name, entry in self.entries.items():
            sources = [operand.slot for operand in entry.operands if operand.slot]
            always = [option.slot for option in entry.all_options if option.slot and option.names[0] in entry.needs]
            optional = [option.slot for option in entry.all_options if option.slot]
            if lost := {*sources, *optional} - self.slots.keys():
                raise ValueError(f"{name}: there is no slot {', '.join(sorted(lost))}")
            if len({*sources, *optional}) < len([*sources, *optional]):
                raise ValueError(f"{name}: a slot stands at two places")
            used.update(sources, optional)
            bound = self._expand([*sources, *always])
            if lost := set(_places(entry.params)) - bound:
                raise ValueError(f"{name}: params: nothing gives {', '.join(sorted(lost))}")
            for option in entry.all_options:
                if lost := set(_places(option.params)) - bound - self._expand([option.slot]):
                    raise ValueError(f"{name}: {option.names[0]}: nothing gives {', '.join(sorted(lost))}")
        if unused := self.slots.keys() - used:
            raise ValueError(f"slots: nothing uses {', '.join(sorted(unused))}")
        return self

    def _expand(self, names: list[str]) -> set[str]:
        return {*names, *(inner for name in names if name for inner in self.slots[name].names)}


def _places(value: object) -> Iterator[str]:
    """The slots that a param is made of."""
    if isinstance(value, str):
        yield from (found[1] for found in PLACE.finditer(value))
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _places(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _places(inner)


def load_entries(path: Path = SHIPPED) -> Entries:
    """The entries of a file, by default the shipped ones.

    Raises:
        ProjectError: the file cannot be read, is no YAML, or holds a wrong entry; names the entry and the field.
    """
    try:
        document = YamlReader().load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError(f"{path}: cannot be read: {error}") from None
    except yaml.YAMLError as error:
        raise ProjectError(f"{path}: is no valid YAML: {' '.join(str(error).split())}") from None
    try:
        return Entries.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ProjectError(f"{path}: {place}: {first['msg']}.") from None
