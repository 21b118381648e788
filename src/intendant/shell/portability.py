"""Whether ``sh`` reads a script as bash does."""

import re

from intendant.shell.syntax import Command, Script

#: what bash brings itself and a POSIX shell lacks, or does in another way
_NAMES = frozenset(
    "[[ . builtin caller command compgen complete declare dirs disown enable eval exec export hash help history jobs "
    "kill let local logout mapfile popd pushd read readarray readonly select set shopt source suspend time times trap "
    "type typeset ulimit umask unset wait".split()
)
_TEST = frozenset("== =~ -v -R -N -a -o < >".split())
_PLAIN_FORMAT = re.compile(r"(%[sd%]|\\[nt]|[^%\\])*")


def needs_bash(script: Script) -> bool:
    """True wherever that is not certain."""
    return script.differs or any(_differs(command) for command in script.commands)


def _differs(command: Command) -> bool:
    if not command.words:
        return False
    name, *rest = command.words
    if not name.literal or name.text in _NAMES:
        return True
    if name.text == "echo":
        # A POSIX shell's echo takes backslashes for escapes, and knows no option but -n.
        return any(not word.literal or "\\" in word.text or re.match("-(?!n$)", word.text) for word in rest)
    if name.text == "printf":
        return not rest or not rest[0].literal or not _PLAIN_FORMAT.fullmatch(rest[0].text)
    return name.text in ("test", "[") and any(word.text in _TEST for word in rest)
