"""Reads times in words, such as "every night at 2:30", as the calendar expressions of systemd.time(7). Pure."""

import re

#: words that a time may start with
TIME_OPENERS = frozenset("every each at on weekdays workdays daily hourly weekly monthly nightly".split())
_DAYS = {day[:3]: day[:3].title() for day in "monday tuesday wednesday thursday friday saturday sunday".split()}
_PLAIN = {
    "hourly": "hourly", "every hour": "hourly", "daily": "daily", "nightly": "daily", "every day": "daily",
    "every night": "daily", "each night": "daily", "each day": "daily", "every midnight": "daily",
    "at midnight": "daily", "weekly": "weekly", "every week": "weekly", "monthly": "monthly",
    "every month": "monthly", "every minute": "minutely", "minutely": "minutely",
}  # fmt: skip
_DAY = "|".join(f"{short}(?:{rest})?" for short, rest in (
    ("mon", "day"), ("tue", "sday"), ("wed", "nesday"), ("thu", "rsday"), ("fri", "day"), ("sat", "urday"),
    ("sun", "day"),
))  # fmt: skip
_CLOCK = r"(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))?\s*(?P<half>am|pm)?|(?P<word>noon|midnight)"
_WHEN = re.compile(
    rf"(?:(?:every|each|on)\s+)?(?P<when>day|night|morning|evening|daily|nightly|weekdays?|workdays?|(?P<day>{_DAY})s?)?"
    rf"(?:\s*(?:at|@)\s*(?:{_CLOCK}))?(?:\s*o'clock)?"
)
_MINUTES = re.compile(r"every (?P<count>\d{1,2}) (?P<unit>minutes|hours)")
_CALENDAR = re.compile(rf"(?:(?:{_DAY}|[,. ])+ )?(?=.*(?:\*|\d:\d))[\d*,:/~. -]+", re.IGNORECASE)
_NEEDS_TIME = frozenset({"morning", "evening", "weekday", "workday", "weekdays", "workdays"})


def read_schedule(words: str) -> str | None:
    """The calendar expression for the words, or None when they name no time that is clear."""
    spoken = " ".join(words.lower().split())
    if spoken in _PLAIN:
        return _PLAIN[spoken]
    if match := _MINUTES.fullmatch(spoken):
        count = int(match["count"])
        if match["unit"] == "minutes":
            return f"*:0/{count}" if count and 60 % count == 0 else None
        return f"0/{count}:00" if count and 24 % count == 0 else None
    if match := _WHEN.fullmatch(spoken):
        return _read_match(match)
    return words if _CALENDAR.fullmatch(words) else None


def _read_match(match: re.Match[str]) -> str | None:
    day = f"{_DAYS[match['day'][:3]]} " if match["day"] else "Mon..Fri " if match["when"] in _NEEDS_TIME - {
        "morning", "evening"} else ""  # fmt: skip
    if match["word"]:
        return f"{day}*-*-* {'12' if match['word'] == 'noon' else '00'}:00:00"
    if match["hour"] is None:
        return f"{day}*-*-* 00:00:00" if match["day"] else None
    hour, minute = int(match["hour"]), int(match["minute"] or 0)
    if match["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match["half"] == "pm" else 0)
    elif match["when"] == "evening" or (match["when"] in {"night", "nightly"} and 6 < hour < 13):
        # "every night at 10": before or after midnight is anybody's guess.
        return None
    return f"{day}*-*-* {hour:02}:{minute:02}:00" if hour < 24 and minute < 60 else None
