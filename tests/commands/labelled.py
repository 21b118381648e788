"""The labelled commands under `labels/`, and what bash's own parser says of a text."""

import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from intendant.shell.rules import Rules, load_rules
from intendant.shell.verdicts import KINDS

FOLDER = Path(__file__).with_name("labels")


@dataclass(frozen=True)
class Label:
    """A command line, its class, why, and what the reason has to name (none for a read)."""

    command: str
    kind: str
    why: str
    names: str
    origin: str


@cache
def read_labels() -> tuple[Label, ...]:
    labels = []
    for path in sorted(FOLDER.glob("*.yml")):
        for entry in yaml.safe_load(path.read_text()):
            assert not entry.keys() - {"command", "class", "why", "names"}
            labels.append(Label(entry["command"], entry["class"], entry["why"], entry.get("names", ""), f"{path.stem}"))
    return tuple(labels)


@cache
def rules() -> Rules:
    return load_rules()


def rank(kind: str) -> int:
    return [*KINDS].index(kind)  # type: ignore[arg-type]


def bash_accepts(text: str) -> bool:
    """Whether the text is correct bash; nothing of it is run."""
    done = subprocess.run(["bash", "--norc", "-n", "-c", text], capture_output=True, timeout=20)
    return done.returncode == 0 and not done.stderr
