"""The rules: what each program does, with which options. Data from ``rules.yml``, checked when loaded."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from intendant.errors import ProjectError
from intendant.plainyaml import YamlReader
from intendant.shell.verdicts import Kind

SHIPPED = Path(__file__).with_name("rules.yml")


def _split(value: object) -> object:
    return tuple(value.split()) if isinstance(value, str) else value


#: names separated by blanks
Names = Annotated[tuple[str, ...], BeforeValidator(_split)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Need(_Part):
    """At least one of these options must be there; without, the command is of this kind."""

    options: Names
    kind: Kind = "unknown"
    why: str


class Forbidden(_Part):
    """What a regular expression found in an operand means."""

    kind: Kind
    why: str


class Wrap(_Part):
    """How a program runs another one.

    ``skip``: operands before the command; ``assignments``: NAME=value may stand there; ``text``: the rest is joined
    and read as shell text; ``option``: the value of this option is shell text; ``flag``: with this option, the
    first operand is; ``between``: after one of these the command stands, until ``;`` or ``+``; ``query``: with one
    of these, nothing is run. ``hides``: never a read, as what really runs, or where, cannot be seen from here.
    """

    skip: int = 0
    assignments: bool = False
    text: bool = False
    option: Names = ()
    flag: str = ""
    between: Names = ()
    query: Names = ()
    hides: str = ""


class Rule(_Part):
    """A program, or a subcommand of one.

    Options: ``flags`` take no value, ``values`` take one, ``files`` take one that names a file to read,
    ``optional`` take one only when it is glued on; all of them are harmless. ``change``, ``destructive`` and
    ``unknown`` map options to what they do; a ``=`` behind the name says that it takes a value. Every other option
    is unknown. ``needs``: what must be there. ``dynamic``: no option of the program does harm, so that a variable
    or a glob may become one. ``stops``: what follows the first operand is no option. ``plus``: some begin with
    ``+``. ``numbers``: ``-5`` is one. ``bundle``: the first word is one also without a dash. ``style``: ``words``
    has no clusters of letters and no ``--``, ``plain`` has no options at all.

    Operands: ``operands`` says what they are; ``leading``: the first is text where none of ``leading_unless`` is
    given. ``literal``: must be known beforehand. ``min``, ``max``: how many, and what ``extra`` ones do.
    ``forbid``, also for option values ``forbid_values``: what a pattern in one of them means. ``writes``: they may
    be what is written to. ``check``: the language they are in. ``subcommands``: by the first of them; ``other``
    ones; ``bare``: without any.
    """

    kind: Kind = "read"
    why: str = ""
    style: Literal["getopt", "words", "plain"] = "getopt"
    stops: bool = False
    plus: bool = False
    numbers: bool = False
    bundle: bool = False
    flags: Names = ()
    values: Names = ()
    files: Names = ()
    optional: Names = ()
    change: Mapping[str, str] = Field(default_factory=dict)
    destructive: Mapping[str, str] = Field(default_factory=dict)
    unknown: Mapping[str, str] = Field(default_factory=dict)
    needs: Need | None = None
    dynamic: bool = False
    literal: bool = False
    operands: Literal["none", "text", "paths", "files"] = "none"
    leading: bool = False
    leading_unless: Names = ()
    min: int = 0
    max: int | None = None
    extra: Forbidden | None = None
    forbid: Mapping[str, Forbidden] = Field(default_factory=dict)
    forbid_values: Mapping[str, Forbidden] = Field(default_factory=dict)
    writes: bool = False
    check: Literal["", "awk", "batch", "cd", "counted", "printf", "sed", "test"] = ""
    bare: Kind | None = None
    subcommands: Mapping[str, "Rule"] = Field(default_factory=dict)
    other: Forbidden | None = None
    wraps: Wrap | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.kind != "read" and not self.why:
            raise ValueError("why: say what the program does, as it is no read")
        given = [*self.flags, *self.values, *self.files, *self.optional, *self.dangers()]
        if wrong := [name for name in given if not name.startswith(("-", "+")) and self.style == "getopt"]:
            raise ValueError(f"options begin with a dash: {', '.join(wrong)}")
        if twice := sorted({name for name in given if given.count(name) > 1}):
            raise ValueError(f"listed twice: {', '.join(twice)}")
        if self.needs and (lost := set(self.needs.options) - set(given)):
            raise ValueError(f"needs: not among the options: {', '.join(sorted(lost))}")
        for pattern in (*self.forbid, *self.forbid_values):
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"forbid: '{pattern}' is no pattern: {error}") from None
        if self.dynamic and (self.dangers() or self.max is not None or self.forbid or self.subcommands):
            raise ValueError("dynamic: only where no option, number or form of the operands does harm")
        return self

    def dangers(self, *, with_value: bool = False) -> dict[str, tuple[Kind, str]]:
        """Options that are no read, with what they do; all of them, or those that take a value."""
        kinds: tuple[tuple[Kind, Mapping[str, str]], ...] = (
            ("unknown", self.unknown), ("change", self.change), ("destructive", self.destructive),
        )  # fmt: skip
        return {
            name.removesuffix("="): (kind, why)
            for kind, group in kinds
            for names, why in group.items()
            for name in names.split()
            if name.endswith("=") or not with_value
        }

    def find_subcommand(self, name: str) -> "Rule | None":
        """The rule of a subcommand, which also takes this one's options; None when it has none of that name."""
        found = next((rule for names, rule in self.subcommands.items() if name in names.split()), None)
        if found is None:
            return None
        own = {*found.flags, *found.values, *found.files, *found.optional, *found.dangers()}
        shared = {
            field: (*getattr(found, field), *(option for option in getattr(self, field) if option not in own))
            for field in ("flags", "values", "files", "optional")
        }
        return found.model_copy(update=shared)


class Rules(_Part):
    """All rules. ``versions``: programs that are a read only to ask for their version, with the options for that."""

    programs: Mapping[str, Rule]
    versions: Mapping[str, Names] = Field(default_factory=dict)

    def find(self, name: str) -> Rule | None:
        """The rule of a program by its bare name; ``mkfs*`` is for all of ``mkfs``, ``mkfs.ext4`` and so on."""
        rule = self.programs.get(name)
        return rule if rule is not None else self.programs.get(f"{name.partition('.')[0]}*")


def load_rules(path: Path = SHIPPED) -> Rules:
    """The rules of a file, by default the shipped ones.

    Raises:
        ProjectError: the file cannot be read, is no YAML, or holds a wrong rule; names the program and the field.
    """
    try:
        document = YamlReader().load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError(f"{path}: cannot be read: {error}") from None
    except yaml.YAMLError as error:
        raise ProjectError(f"{path}: is no valid YAML: {' '.join(str(error).split())}") from None
    try:
        return Rules.model_validate(_expand(document, path))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ProjectError(f"{path}: {place}: {first['msg']}.") from None


def _expand(document: object, path: Path) -> object:
    """One entry for each of the names in a key such as ``md5sum sha256sum``."""
    if not isinstance(document, dict) or not isinstance(document.get("programs"), dict):
        return document
    programs: dict[str, Any] = {}
    for names, rule in document["programs"].items():
        for name in str(names).split():
            if name in programs:
                raise ProjectError(f"{path}: programs.{name}: is there twice.")
            programs[name] = rule
    return {**document, "programs": programs}
