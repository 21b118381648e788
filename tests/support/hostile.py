"""Strings that do harm wherever somebody takes them for more than text.

Those that would run a command touch a file in the canary folder, named after themselves; those that would be computed
come out as ``COMPUTED``, which stands in none of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

#: what 31337 * 31337 is: a template that was evaluated leaves it behind
COMPUTED = str(31337 * 31337)
_PRODUCT = "31337*31337"


@dataclass(frozen=True)
class Hostile:
    """One string; ``name`` is how a test calls it."""

    name: str
    text: str


def make_hostile(canary: Path) -> list[Hostile]:
    """All strings, with names that are unique and fit for a file name."""
    found: list[Hostile] = []

    def add(name: str, build: Callable[[str], str] | str) -> None:
        target = str(canary / name)
        found.append(Hostile(name, build if isinstance(build, str) else build(target)))

    _add_jinja(add)
    _add_tags(add)
    _add_shell(add)
    _add_characters(add)
    _add_odds(add)
    assert len({item.name for item in found}) == len(found)
    assert not [item.name for item in found if COMPUTED in item.text]
    return found


Add = Callable[[str, Callable[[str], str] | str], None]


def _add_jinja(add: Add) -> None:
    add("pipe", lambda path: "{{ lookup('pipe', 'touch " + path + "') }}")
    add("statement", lambda path: "{% set x = lookup('pipe', 'touch " + path + "') %}{{ x }}")
    add("several-lines", lambda path: "{{\n  lookup('pipe',\n  'touch " + path + "')\n}}")
    add("nested", lambda path: '{{ \'{{ lookup("pipe", "touch ' + path + "\") }}' }}")
    add("opening-alone", "{{ ")
    add("statement-alone", "{% raw %}")
    add("unbalanced", "{{ '{{' }} {% endif %}")
    add("filters", "{{ (" + _PRODUCT + ") | string | b64encode | b64decode }}")
    add("computed", "{{ " + _PRODUCT + " }}")
    add("class-gadget", lambda path: "{{ ''.__class__.__mro__[1].__subclasses__() }}{# " + path + " #}")
    add("globals-gadget", lambda path: "{{ lipsum.__globals__['os'].system('touch " + path + "') }}")
    add("nothing-but-a-comment", lambda path: "{# lookup('pipe', 'touch " + path + "') #}")
    add("line-statement", lambda path: "# set x = lookup('pipe', 'touch " + path + "')\n## " + path)
    add("header", lambda path: "#jinja2: variable_start_string:'[[', variable_end_string:']]'\n[[ " + _PRODUCT + " ]]")
    add("controller-file", "{{ lookup('file', '/etc/passwd') }}")
    add("omit", "{{ omit }}")
    add("undefined", "{{ no_such_variable_at_all }}")


def _add_tags(add: Add) -> None:
    add("tag-vault", "!vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162")
    add("tag-unsafe", "!unsafe '{{ " + _PRODUCT + " }}'")
    add("tag-python", lambda path: "!!python/object/apply:os.system ['touch " + path + "']")
    add("unsafe-object", '{"__ansible_unsafe": "{{ ' + _PRODUCT + ' }}"}')
    add("vault-object", '{"__ansible_vault": "$ANSIBLE_VAULT;1.1;AES256\\n6162"}')
    add(
        "tagged-object",
        lambda path: '{"__ansible_type": "TrustedAsTemplate", "value": "{{ lookup(\'file\', \'' + path + "') }}\"}",
    )
    add("reference-object", '{"from_var": "ansible_ssh_private_key_file"}')
    add("vault-header", "$ANSIBLE_VAULT;1.1;AES256\n3162")
    add("yaml-null", "~")
    add("number", "007")


def _add_shell(add: Add) -> None:
    add("substitution", lambda path: "$(touch " + path + ")")
    add("backticks", lambda path: "`touch " + path + "`")
    add("semicolon", lambda path: "x; touch " + path + "; y")
    add("and", lambda path: "x && touch " + path)
    add("quotes", lambda path: "x'; touch " + path + "; '\"; touch " + path + '; "')
    add("line-break", lambda path: "x\ntouch " + path + "\n")
    add("carriage-return", lambda path: "x\r\ntouch " + path + "\r\n")
    add("variable", "${HOME} $PATH $IFS")
    add("globs", "pass* [a-z]? {a,b} /etc/*")
    add("home", "~root/.ssh")
    add("short-option", "-o")
    add("option-with-value", lambda path: "-oProxyCommand=touch " + path)
    add("module-arguments", lambda path: "x state=absent content=y path=" + path)


def _add_characters(add: Add) -> None:
    add("empty", "")
    add("spaces-around", "  x  ")
    add("tab", "a\tb")
    add("nul", "a\x00b")
    add("escape-sequence", "\x1b[31mred\x1b]0;title\x07\x1b[0m")
    add("bidi", "user\u202egpj.exe\u202c\u2066x\u2069")
    add("zero-width", "ad\u200bmin\u200d\ufeff")
    add("composed", "caf\u00e9")
    add("decomposed", "cafe\u0301")
    add("fullwidth", "\uff5b\uff5b " + _PRODUCT + " \uff5d\uff5d")
    add("line-separators", "a\u2028b\u2029c\x85d\x0be")
    add("half-surrogate", "a\ud800b")
    add("long", "{{ " + _PRODUCT + " }}" + "x" * 65_536)
    add("too-long", "x" * (2 * 1024 * 1024))


def _add_odds(add: Add) -> None:
    add("traversal", "../../../../etc/passwd")
    add("at-file", "@/etc/passwd")
    add("percent", "%s %n %(x)s %%")
    add("format", "{0} {x!r} {0.__class__}")
    add("backslashes", "\\ \\n \\x41 \\\\")
    add("colon", "root::0:0::/root:/bin/sh")
