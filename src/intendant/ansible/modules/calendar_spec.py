#!/usr/bin/python
"""Read a schedule as people write it and return it as systemd does. Changes nothing."""

from __future__ import annotations

DOCUMENTATION = r"""
module: calendar_spec
short_description: A schedule in words, as a calendar specification of systemd
description:
  - Understands V(hourly), V(every 15 minutes), V(at 03:30), V(every monday at 8am), V(weekdays at 18:00), and whatever
    C(systemd-analyze calendar) on the host accepts.
  - Fails when it is none of these, or when it never comes. Never changes anything.
options:
  schedule:
    description: The schedule.
    type: str
    required: true
attributes:
  check_mode: {support: full}
  diff_mode: {support: none}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Read the schedule
  ansible.legacy.calendar_spec:
    schedule: every 15 minutes
  register: when
"""

RETURN = r"""
calendar: {description: What OnCalendar= of a timer takes., type: str, returned: always}
"""

import re

from ansible.module_utils.basic import AnsibleModule

# What a calendar specification can consist of, time zones included; nothing that ends a line.
SAFE = re.compile(r"[A-Za-z0-9*:/,.~_+ -]{1,200}\Z")
DAYS = {"monday": "Mon", "tuesday": "Tue", "wednesday": "Wed", "thursday": "Thu", "friday": "Fri",
        "saturday": "Sat", "sunday": "Sun"}  # fmt: skip
GROUPS = {"day": "", "weekday": "Mon..Fri", "weekend": "Sat,Sun", "working day": "Mon..Fri"}
PERIODS = {"minute": "minutely", "hour": "hourly", "day": "daily", "week": "weekly", "month": "monthly",
           "quarter": "quarterly", "year": "yearly"}  # fmt: skip
COUNTED = {"second": (60, "*:*:0/{}"), "minute": (60, "*:0/{}"), "hour": (24, "0/{}:00")}
WORDS = {"nightly": "*-*-* 02:00:00", "every night": "*-*-* 02:00:00", "midnight": "daily", "at midnight": "daily"}
TIME = r"(?P<time>noon|midnight|\d{1,2}(?::\d{2}){0,2} ?(?:am|pm)?)"
DAY = "|".join(DAYS)
EVERY_DAYS = re.compile(
    rf"(?:every |on |weekly on |each )?(?P<days>(?:{DAY})s?(?:(?:,| and|, and) (?:on )?(?:{DAY})s?)*)(?: at {TIME})?\Z"
)
EVERY_GROUP = re.compile(
    rf"(?:(?:(?:every|each|on) )?(?P<group>day|weekday|weekend|working day)s?(?: at {TIME})?"
    rf"|(?:(?:daily|nightly|every night) )?(?:at )?{TIME.replace('time', 'alone')})\Z"
)
MONTHLY = re.compile(
    rf"(?:monthly|every month|each month)(?: on)?(?: the)? (?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?: at {TIME})?\Z"
)
CRON = re.compile(r"[\d*/,-]+( [\dA-Za-z*/,-]+){4}\Z")


def read_time(text: str) -> str | None:
    """Return a time of day with seconds; None when there is no such time."""
    if text in ("noon", "midnight"):
        return "12:00:00" if text == "noon" else "00:00:00"
    half = text[-2:] if text[-2:] in ("am", "pm") else ""
    parts = [int(part) for part in text.removesuffix(half).strip().split(":")]
    if not half and len(parts) == 1:
        return None  # "at 7" says neither which half of the day nor that it means an hour
    hour, minute, second = [*parts, 0, 0][:3]
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "pm" else 0)
    return f"{hour:02}:{minute:02}:{second:02}" if hour < 24 and minute < 60 and second < 60 else None


def parse_schedule(text: str) -> tuple[str | None, str]:
    """Return the calendar specification, or None and what is wrong with it. What is in no words is left as it is."""
    words = " ".join(text.lower().split())
    if words in WORDS:
        return WORDS[words], ""
    if found := re.match(r"(?:every|each) (\w+)\Z", words):
        if found[1] in PERIODS:
            return PERIODS[found[1]], ""
    if found := re.match(r"every (\d{1,6}) ?(second|minute|min|hour|h)s?\Z", words):
        unit = {"min": "minute", "h": "hour"}.get(found[2], found[2])
        count, (whole, form) = int(found[1]), COUNTED[unit]
        if count < 1 or count >= whole or whole % count:
            divisors = ", ".join(str(number) for number in range(2, whole) if whole % number == 0)
            return None, f"every N {unit}s works with N that divide {whole}: {divisors}"
        return (PERIODS[unit] if count == 1 and unit in PERIODS else form.format(count)), ""
    if (found := EVERY_DAYS.match(words)) and found["days"]:
        days = ",".join(short for name, short in DAYS.items() if name in found["days"])
        return at_time(f"{days} *-*-*", found["time"])
    if found := EVERY_GROUP.match(words):
        days = GROUPS[found["group"]] if found["group"] else ""
        return at_time(f"{days} *-*-*".strip(), found["time"] or found["alone"])
    if found := MONTHLY.match(words):
        return at_time(f"*-*-{int(found['day']):02}", found["time"])
    if CRON.match(words):
        return None, 'this looks like a line of cron; say it as in "every 15 minutes" or "Mon..Fri 08:00"'
    return " ".join(text.split()), ""


def at_time(date: str, text: str | None) -> tuple[str | None, str]:
    time = read_time(text) if text else "00:00:00"
    return (f"{date} {time}", "") if time else (None, f'{text!r} is no time of day; write "03:30" or "3:30pm"')


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "schedule": {"type": "str", "required": True},
        },
        supports_check_mode=True,
    )
    schedule = module.params["schedule"]
    examples = 'write it as "daily", "every 15 minutes", "at 03:30", "every monday at 8am" or as systemd\'s OnCalendar='
    if not SAFE.match(schedule):
        module.fail_json(msg=f"{schedule!r} is not a schedule; {examples}")
    calendar, problem = parse_schedule(schedule)
    if calendar is None:
        module.fail_json(msg=f"{schedule!r} is not a schedule: {problem}")
    rc, out, err = module.run_command(
        ["systemd-analyze", "calendar", "--", calendar], environ_update={"LC_ALL": "C"}, expand_user_and_vars=False
    )
    if rc != 0:
        reason = (err.strip().splitlines() or ["systemd-analyze does not accept it"])[-1]
        module.fail_json(msg=f"{schedule!r} is not a schedule ({reason}); {examples}")
    if re.search(r"Next elapse: never", out):
        module.fail_json(msg=f"{schedule!r} lies in the past: it never comes again")
    module.exit_json(changed=False, calendar=calendar)


if __name__ == "__main__":
    main()
