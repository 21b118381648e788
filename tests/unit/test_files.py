"""Pages of files: where they begin and end, what is text, and which bytes may hold a secret."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intendant.files import binary_views, clean_name, context_text, cut_window, make_time, read_text
from intendant.redaction import Redactor
from support.keyblocks import key_block

KEY = key_block("MIIEvQIBADANBgkqhkiG\n" * 20, kind="")


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40), st.integers(1, 30))
def test_pages_of_text_follow_each_other_without_a_gap_and_cut_no_character(text: str, limit: int) -> None:
    data, position, pages = text.encode(), 0, list[bytes]()
    while position < len(data):
        window = cut_window(data, position, limit)
        assert len(window.before) == position
        assert b"".join(window) == data
        assert window.page
        assert len(window.page) <= limit + 3
        pages.append(window.page)
        position += len(window.page)
    assert b"".join(pages) == data
    for page in pages:
        page.decode()


@given(st.binary(max_size=60), st.integers(0, 60), st.integers(1, 30))
def test_any_bytes_are_cut_somewhere(data: bytes, start: int, length: int) -> None:
    window = cut_window(data, min(start, len(data)), length)
    assert b"".join(window) == data
    assert len(window.page) <= length + 3
    assert window.page or start >= len(data)


def test_a_page_that_begins_inside_of_a_character_begins_with_it() -> None:
    assert cut_window("aéb".encode(), 2, 2).page == "éb".encode()


@pytest.mark.parametrize("page", [b"a\0b", b"caf\xe9", b"\x01" * 1000, b"\xff\xfea\0"])
def test_what_cannot_be_read_is_no_text(page: bytes) -> None:
    assert read_text(page) is None


def test_text_is_cleaned_as_outputs_are() -> None:
    assert read_text(b"\x1b[31mred\x1b[0m\r\n\x07") == "red\n\\x07"


@pytest.mark.parametrize(
    "data",
    [
        KEY.encode("utf-16"),
        KEY.encode("utf-16-be"),
        KEY.encode("utf-32"),
        KEY.encode().replace(b"PRIVATE", b"PRI\xffVATE"),
        b"\xff" + KEY.encode(),
        b"\x7fELF\0\0db_password=hunter2hunter2\0\0\xff",
        "db_password = hunter2hunter2".encode("utf-16"),
    ],
)
def test_a_secret_in_bytes_shows_in_one_of_the_views(data: bytes) -> None:
    views = binary_views(cut_window(data, 0, len(data)))
    assert any(Redactor().redact("".join(view)) != "".join(view) for view in views)


def test_a_page_in_the_middle_of_a_key_that_bytes_disguise_is_known_by_what_is_around_it() -> None:
    data = KEY.encode("utf-16")
    views = binary_views(cut_window(data, len(data) // 2, 50))
    assert any(Redactor().redact_pieces(view)[1] != view[1] for view in views)


def test_bytes_without_a_secret_show_none() -> None:
    data = bytes(range(256)) * 50
    for view in binary_views(cut_window(data, 100, 500)):
        assert Redactor().redact_pieces(view) == view


def test_stray_bytes_around_a_page_of_text_do_not_hide_where_a_key_begins() -> None:
    before = KEY.encode().replace(b"PRIVATE KEY-----\n", b"PRI\xff\0VATE KEY-----\n", 1)[:100]
    page = KEY[120:200]
    masked = Redactor().redact_pieces([context_text(before), page, KEY[200:]])
    assert "MIIE" not in masked[1]


def test_names_are_shown_on_one_line_and_steer_nothing() -> None:
    assert clean_name(b"a\nb\tc\x1b[31m\xff\xe2\x80\xae") == "a\\nb\\tc\\x1b[31m\\xff\\u202e"


@pytest.mark.parametrize("seconds", [10**18, -(10**18), 2**70])
def test_times_that_no_calendar_has_are_no_crash(seconds: int) -> None:
    assert make_time(seconds) in (datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC))
