"""YAML as plain data: the fast parser and the patient one say the same, and no text ends the process."""

import datetime
import threading

import pytest
import yaml

from intendant.plainyaml import YamlReader

TEXTS = [
    "a: [1, 2.5, yes, null, 0o17, 1e3, 2026-01-02]",
    "- 'x'\n- \"\\u00e9\"\n- |\n  two\n  lines\n- >-\n  one\n  line\n",
    "base: &base {a: 1}\nmore: {<<: *base, b: 2}\n",
    "",
]


@pytest.mark.parametrize("text", TEXTS)
def test_both_parsers_read_the_same(text: str) -> None:
    padding = "# " + "[" * 6_000 + "\n"
    assert YamlReader().load(text) == YamlReader().load(padding + text) == yaml.safe_load(text)


@pytest.mark.parametrize("padding", ["", "# " + "[" * 6_000 + "\n"])
def test_only_plain_data_and_the_tags_that_were_named_are_read(padding: str) -> None:
    reader = YamlReader({"!twice": lambda loader, _suffix, node: 2 * loader.construct_scalar(node)})
    assert reader.load(padding + "a: !twice x\nday: 2026-01-02\n") == {"a": "xx", "day": datetime.date(2026, 1, 2)}
    for text in ("!once x", "!!python/object/apply:os.getcwd []", "a: b: c"):
        with pytest.raises(yaml.YAMLError):
            reader.load(padding + text)


@pytest.mark.parametrize(
    "text", ["[" * 400_000, "{a: " * 400_000, "- " * 400_000, "? " * 400_000], ids=lambda text: text[:3]
)
def test_a_text_nested_too_deep_is_an_error_and_not_the_end_of_the_process(text: str) -> None:
    caught: list[BaseException] = []

    def read() -> None:
        for act in (YamlReader().load, YamlReader().load_all, YamlReader().compose):
            try:
                act(text)
            except (RecursionError, yaml.YAMLError) as error:
                caught.append(error)

    # where the stack may be smaller, as in a server
    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
    assert len(caught) == 3
