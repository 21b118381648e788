"""Schedules in words: each becomes what systemd understands, or is refused with a reason."""

import importlib.util
from typing import Any

import pytest

from roles.running import MODULES


def load_module() -> Any:
    spec = importlib.util.spec_from_file_location("calendar_spec", MODULES / "calendar_spec.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


calendar_spec = load_module()

READ = {
    "daily": "daily",
    "Every Hour": "hourly",
    "every minute": "minutely",
    "every 1 minute": "minutely",
    "every 15 minutes": "*:0/15",
    "every 5 min": "*:0/5",
    "every 6 hours": "0/6:00",
    "every 30 seconds": "*:*:0/30",
    "at 03:30": "*-*-* 03:30:00",
    "3:30pm": "*-*-* 15:30:00",
    "12am": "*-*-* 00:00:00",
    "daily at noon": "*-*-* 12:00:00",
    "every day at 4:05": "*-*-* 04:05:00",
    "every night": "*-*-* 02:00:00",
    "nightly at 1am": "*-*-* 01:00:00",
    "every monday at 8am": "Mon *-*-* 08:00:00",
    "sundays": "Sun *-*-* 00:00:00",
    "on tuesdays and fridays at 18:00": "Tue,Fri *-*-* 18:00:00",
    "weekdays at 7:15": "Mon..Fri *-*-* 07:15:00",
    "every weekend at 10:00": "Sat,Sun *-*-* 10:00:00",
    "monthly on the 3rd at 02:00": "*-*-03 02:00:00",
    "Mon..Fri 08:00 Europe/Vienna": "Mon..Fri 08:00 Europe/Vienna",
    "*-*-* 0/2:00:00": "*-*-* 0/2:00:00",
}
REFUSED = {
    "every 7 minutes": "divide 60",
    "every 0 minutes": "divide 60",
    "every 90 minutes": "divide 60",
    "every 5 hours": "divide 24",
    "at 25:00": "no time of day",
    "at 13pm": "no time of day",
    "at 7": "no time of day",
    "*/5 * * * *": "cron",
    "0 3 * * 1-5": "cron",
}


@pytest.mark.parametrize("words", READ)
def test_a_schedule_in_words_becomes_a_calendar_specification(words: str) -> None:
    assert calendar_spec.parse_schedule(words) == (READ[words], "")


@pytest.mark.parametrize("words", REFUSED)
def test_what_cannot_be_meant_is_refused_with_a_reason(words: str) -> None:
    calendar, problem = calendar_spec.parse_schedule(words)
    assert calendar is None
    assert REFUSED[words] in problem


@pytest.mark.parametrize("text", ["daily\nOnCalendar=minutely", "daily\0", "$(id)", "", "%n", "a" * 201])
def test_nothing_that_would_end_the_line_is_let_through(text: str) -> None:
    assert not calendar_spec.SAFE.match(text)
