"""The second reader: tree-sitter-bash, whose tree must agree with what our own reader found.

Its grammar is made for editors: it repairs what is broken and misreads some correct lines (a line break after two
pipes, for one, becomes part of the command before it). Ours reads only a part of the language. Where both see the
same tokens and the same command names, the line is what it seems; anywhere else nothing is certain.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

#: Any letter may stand for what is not ASCII: the grammar's scanner looks such characters up beyond the end of a table,
#: which ends the process for some of them.
_ASCII = bytes(range(128)) + b"x" * 128

#: nodes that a line may hold; every other makes it uncertain
_KNOWN = frozenset(
    "program command command_name word number string string_content raw_string ansi_c_string concatenation "
    "simple_expansion expansion variable_name special_variable_name command_substitution process_substitution "
    "variable_assignment redirected_statement file_redirect herestring_redirect file_descriptor pipeline list "
    "negated_command subshell compound_statement for_statement do_group if_statement elif_clause else_clause "
    "test_command unary_expression binary_expression negation_expression test_operator extglob_pattern regex comment "
    "parenthesized_expression".split()
)
_WORDS = frozenset(
    "word number string raw_string ansi_c_string concatenation simple_expansion expansion command_substitution "
    "process_substitution variable_assignment variable_name file_descriptor test_operator extglob_pattern regex "
    "translated_string special_variable_name".split()
)
_SUBSTITUTIONS = frozenset({"command_substitution", "process_substitution"})
_BRACKETS = frozenset({"$(", ")", "`", "<(", ">("})


@dataclass(frozen=True)
class Tree:
    """What the tree says. Spans are offsets in bytes.

    ``tokens``: words and operators; ``names``: where commands begin; ``commands``: the spans of their words;
    ``strange``: the first node that is not known, or ''.
    """

    tokens: frozenset[tuple[int, int]]
    names: frozenset[int]
    commands: tuple[tuple[tuple[int, int], ...], ...]
    strange: str


def read_tree(data: bytes) -> Tree:
    """Parse UTF-8 text."""
    root = Parser(Language(tree_sitter_bash.language())).parse(data.translate(_ASCII)).root_node
    tokens: set[tuple[int, int]] = set()
    names: set[int] = set()
    commands: list[tuple[tuple[int, int], ...]] = []
    strange = ""
    for node, in_word in _walk(root):
        if not strange and (node.is_error or node.is_missing or (node.is_named and node.type not in _KNOWN)):
            strange = "an error" if node.is_error or node.is_missing else node.type.replace("_", " ")
        bracket = node.type == "test_command" and node.child_count and node.children[0].type in ("[", "[[")
        if node.type == "command_name" or bracket:
            names.add(node.start_byte)
        if node.type == "command":
            commands.append(tuple((kid.start_byte, kid.end_byte) for kid in node.children))
        if not in_word and node.type != "comment" and (node.type in _WORDS or not node.child_count):
            tokens.add((node.start_byte, node.end_byte))
    return Tree(frozenset(token for token in tokens if data[token[0]:token[1]].strip()), frozenset(names),
                tuple(commands), strange)  # fmt: skip


def _walk(root: Node) -> Iterator[tuple[Node, bool]]:
    """Every node, and whether it is a part of a word; without recursion, as trees can be deep."""
    stack = [(root, False)]
    while stack:
        node, in_word = stack.pop()
        yield node, in_word
        inside = in_word or node.type in _WORDS
        if node.type in _SUBSTITUTIONS:
            stack.extend((child, child.type in _BRACKETS) for child in node.children)
        else:
            stack.extend((child, inside) for child in node.children)
