"""Which hostile string goes into which param of which role, and the steps that do it: as few as will do."""

import base64
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from intendant.intents import Intent
from support.hostile import Hostile


@dataclass(frozen=True, order=True)
class Slot:
    """Where a string goes: into a param, as it is ("plain") or inside a form that the param asks for ("dressed")."""

    param: str
    form: str


@dataclass(frozen=True, order=True)
class Pair:
    """One string (by its name) in one slot: what coverage is counted in."""

    slot: Slot
    hostile: str


@dataclass(frozen=True)
class Case:
    """Params of one step, and the pairs that they cover. ``number`` makes its targets on the host its own."""

    number: int
    params: dict[str, Any]
    pairs: tuple[Pair, ...]


# What makes a role do something with the string, for a case of this number.
BASE: dict[str, Callable[[int], dict[str, Any]]] = {
    "file": lambda number: {"file_path": f"/srv/hostile/plain/{number}"},
    "packages": lambda _: {"packages_names": ["bash"]},
    "python": lambda _: {"python_version": "3.99", "python_source": "standalone"},
    "service": lambda _: {"service_name": "dbus", "service_state": "started"},
    "user": lambda number: {"user_name": f"h{number}"},
}
_MIRROR = {"python_mirror": "http://127.0.0.1:9/mirror"}
# What a param needs besides.
_ALSO: dict[str, dict[str, Any]] = {
    "file_target": {"file_state": "link"},
    "python_latest_url": _MIRROR,
    "python_release": _MIRROR,
}
# A form that the param accepts, with the string in it.
_DRESS: dict[str, Callable[[str], str]] = {
    "file_path": lambda text: f"/srv/hostile/path/{text}",
    "python_latest_url": lambda text: f"http://127.0.0.1:9/{text}/x",
    "python_mirror": lambda text: f"http://127.0.0.1:9/{text}/x",
    "user_authorized_keys": lambda text: f"ssh-ed25519 AAAA{_key_of(text)} {text}",
    "user_home": lambda text: f"/srv/home/{text}",
    "user_shell": lambda text: f"/srv/shell/{text}",
}
_LISTS = ("packages_names", "user_authorized_keys", "user_groups")
# Slots that share a step: one task checks both in a loop, with the same words for both, and so refuses both at once.
_CHECKED_TOGETHER = (
    {Slot("file_owner", "plain"), Slot("file_group", "plain")},
    {Slot("python_mirror", "plain"), Slot("python_latest_url", "plain")},
    {Slot("python_mirror", "dressed"), Slot("python_latest_url", "dressed")},
    {Slot("user_home", "plain"), Slot("user_shell", "plain")},
)
# Slots that share a step when the string is_harmless: the step is applied.
_APPLIED_TOGETHER = (
    {Slot("file_content", "plain"), Slot("file_path", "dressed")},
    {
        Slot("user_comment", "plain"),
        Slot("user_home", "dressed"),
        Slot("user_shell", "dressed"),
        Slot("user_password", "plain"),
    },
)
#: what a file may take any string for; most steps of the role are applied
_WRITTEN = (Slot("file_content", "plain"), Slot("file_path", "dressed"), Slot("file_target", "plain"))
#: how many elements that are refused go into one list
_CHUNK = 10

# A short secret makes every text that holds it unreadable, so what is secret is apart from what is refused with words.
# The role file has two, so that they can run at a time.
BATCHES: dict[str, tuple[str, Callable[[Slot, str], bool]]] = {
    "file-written": ("file", lambda slot, text: slot in _WRITTEN),
    "user-with-password": ("user", lambda slot, text: _is_beside_password(slot, text)),
    "user": ("user", lambda slot, text: slot.param != "user_password" and not _is_beside_password(slot, text)),
    "file": ("file", lambda slot, text: slot not in _WRITTEN),
    "python": ("python", lambda slot, text: True),
    "user-password": ("user", lambda slot, text: slot.param == "user_password" and not _is_beside_password(slot, text)),
    "service": ("service", lambda slot, text: True),
    "packages": ("packages", lambda slot, text: True),
}


def string_params(intent: Intent) -> list[str]:
    """Names of the params that take any text, by itself or as elements of a list."""
    found = []
    for name, option in intent.options.items():
        kind = option.get("type", "str")
        assert kind in ("str", "int", "bool", "list"), f"{name} is of a type that is not known here: {kind}"
        assert (kind == "list") == (name in _LISTS), f"{name} is not known here as a list"
        assert kind != "list" or option.get("elements") == "str", f"{name} has elements that are not known here"
        if kind in ("str", "list") and not option.get("choices"):
            found.append(name)
    return found


def all_pairs(intent: Intent, strings: Collection[Hostile]) -> set[Pair]:
    """Every string in every string param of a role, in each of its forms."""
    slots = [Slot(name, "plain") for name in string_params(intent)]
    slots += [Slot(slot.param, "dressed") for slot in slots if slot.param in _DRESS]
    return {Pair(slot, item.name) for slot in slots for item in strings}


def batch_pairs(batch: str, intent: Intent, strings: Collection[Hostile]) -> set[Pair]:
    """The pairs of a role that one batch takes."""
    texts = {item.name: item.text for item in strings}
    wanted = BATCHES[batch][1]
    return {pair for pair in all_pairs(intent, strings) if wanted(pair.slot, texts[pair.hostile])}


def make_cases(role: str, pairs: Collection[Pair], strings: Sequence[Hostile]) -> list[Case]:
    """Steps that cover these pairs."""
    cases: list[Case] = []

    def add(slots: Collection[Slot], items: Sequence[Hostile]) -> None:
        params: dict[str, Any] = {}
        for slot in sorted(slots):
            texts = [_DRESS[slot.param](item.text) if slot.form == "dressed" else item.text for item in items]
            params |= {**_ALSO.get(slot.param, {}), slot.param: texts if slot.param in _LISTS else texts[0]}
        covers = tuple(Pair(slot, item.name) for slot in sorted(slots) for item in items)
        cases.append(Case(len(cases), {**BASE[role](len(cases)), **params}, covers))

    for slot in sorted({pair.slot for pair in pairs if pair.slot.param in _LISTS}):
        items = [item for item in strings if Pair(slot, item.name) in pairs]
        harmless = [item for item in items if is_harmless(item.text)]
        size = len(harmless) if slot.form == "dressed" else _CHUNK
        for at in range(0, len(harmless), size):
            add([slot], harmless[at : at + size])
        for item in items:
            if not is_harmless(item.text):
                add([slot], [item])
    for item in strings:
        left = {pair.slot for pair in pairs if pair.hostile == item.name and pair.slot.param not in _LISTS}
        for group in (*_CHECKED_TOGETHER, *(_APPLIED_TOGETHER if is_harmless(item.text) else ())):
            if len(group & left) > 1:
                add(group & left, [item])
                left -= group
        for slot in sorted(left):
            add([slot], [item])
    return cases


def is_harmless(text: str) -> bool:
    """Nothing in it that a path, a comment or a password may not hold."""
    return 0 < len(text) < 200 and text.isprintable() and ":" not in text and ".." not in text


def is_applied_together(case: Case) -> bool:
    """Whether the case puts one string into several params, all of which take it."""
    slots = {pair.slot for pair in case.pairs}
    return len(slots) > 1 and any(slots <= group for group in _APPLIED_TOGETHER)


def _is_beside_password(slot: Slot, text: str) -> bool:
    return slot in _APPLIED_TOGETHER[1] and is_harmless(text) and len(text.strip()) > 3


def _key_of(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "replace")).decode()
