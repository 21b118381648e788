"""Masking of secrets in text. Pure; also imported by the callback plugin inside ansible-playbook.

A known secret is replaced wherever it occurs. One that is too short to be replaced surely makes the whole text
``(sensitive)``. Patterns catch what nobody declared: private keys, tokens, password hashes, ``password = …``.
"""

import base64
import json
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

MASK = "(sensitive)"
#: vault ids: of secret params, and of literals in which only a part looks like a secret and the rest may be shown
SECRET_ID = "intendant"  # noqa: S105 (a name)  # noqa: S105 (a name, no secret)
SHOWN_ID = "intendant-shown"
_SURE_LENGTH = 4

# Each is tried from few places of a long line only: what a host prints must not keep us busy.
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY( BLOCK)?-----.*?(-----END [A-Z ]*PRIVATE KEY( BLOCK)?-----|\Z)", re.S
        ),
        MASK,
    ),
    (re.compile(r"\$(?:1|2[aby]|5|6|7|y|gy|argon2[id]{1,2})\$[^\s:'\"]{10,}"), MASK),
    (re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"), MASK),
    (re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}|xox[abprs]-[\w-]{10,})"), MASK),
    (re.compile(r"\beyJ[\w-]{10,1000}\.eyJ[\w-]{10,}\.[\w-]{10,}"), MASK),
    (re.compile(r"(?<=://)([^\s/:@]+):([^\s/@]+)(?=@)"), rf"\1:{MASK}"),
    (
        re.compile(
            r"""(?ix) (?<![\w.-])
            ([\w.-]*(?:password|passwd|passphrase|secret|api[_-]?key|access[_-]?key|auth[_-]?token|token))
            (["']?\s*[=:]\s*) (?!\s) (?:"[^"\n]+"|'[^'\n]+'|[^\s,;"'{}\[\]]+)"""
        ),
        rf"\1\2{MASK}",
    ),
)

_SPOKEN = re.compile(
    r"(?i)(\b(?:password|passwd|passphrase|secret|token|key)\s+(?:(?:is|of|to|as|be|should be|will be)\s+)?)\S+"
)


class Redactor:
    """Masks known secret values and known patterns of secrets.

    Args:
        secrets: plain values; of one with several lines, each long line is masked too, as diffs show lines.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        self._short: re.Pattern[str] | None = None
        self._known: re.Pattern[str] | None = None
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Mask these values too from now on; empty ones are ignored."""
        self._secrets |= {secret for secret in secrets if secret.strip()}
        forms = {form for secret in self._secrets for form in _written_forms(secret)}
        long = sorted((form for form in forms if len(form) >= _SURE_LENGTH), key=len, reverse=True)
        short = sorted(form for form in forms if len(form) < _SURE_LENGTH)
        self._known = re.compile("|".join(map(re.escape, long))) if long else None
        self._short = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, short))})(?!\w)") if short else None

    def redact(self, text: str) -> str:
        """The text with every secret masked, or ``(sensitive)`` where masking would not be sure."""
        if self._short is not None and self._short.search(text):
            return MASK
        for pattern, replacement in self._passes():
            text = pattern.sub(replacement, text)
        return text

    def _passes(self) -> Iterator[tuple[re.Pattern[str], str]]:
        if self._known is not None:
            yield self._known, MASK
        yield from _PATTERNS

    def redact_pieces(self, pieces: Sequence[str]) -> list[str]:
        """Mask the pieces of one text: a secret that lies across a border is masked in each piece that it touches."""
        text = "".join(pieces)
        if self._short is not None and self._short.search(text):
            return [MASK] * len(pieces)
        ends = list(accumulate(map(len, pieces)))
        starts = [0, *ends[:-1]]
        for pattern, replacement in self._passes():
            text, starts, ends = _substitute(pattern, replacement, text, starts, ends)
        return [text[start:end] for start, end in zip(starts, ends, strict=True)]

    def redact_all(self, value: object) -> object:
        """The same for every string (keys too) inside lists and dicts; other values stay as they are."""
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, dict):
            return {self.redact(str(key)): self.redact_all(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.redact_all(item) for item in value]
        if isinstance(value, int | float) and not isinstance(value, bool) and str(value) in self._secrets:
            return MASK
        return value


def _substitute(
    pattern: re.Pattern[str], replacement: str, text: str, starts: Sequence[int], ends: Sequence[int]
) -> tuple[str, list[int], list[int]]:
    """``pattern.sub``, and where pieces of the text start and end afterwards: before and behind what was replaced."""
    parts, spans, position, moved = list[str](), list[tuple[int, int, int, int]](), 0, 0
    for match in pattern.finditer(text):
        new = match.expand(replacement)
        parts += [text[position : match.start()], new]
        start = match.start() + moved
        spans.append((*match.span(), start, start + len(new)))
        position, moved = match.end(), moved + len(new) - (match.end() - match.start())
    if not spans:
        return text, list(starts), list(ends)

    def move(border: int, *, to_end: bool) -> int:
        shift = 0
        for start, end, new_start, new_end in spans:
            if border <= start:
                break
            if border < end:
                return new_end if to_end else new_start
            shift = new_end - end
        return border + shift

    return (
        "".join([*parts, text[position:]]),
        [move(start, to_end=False) for start in starts],
        [move(end, to_end=True) for end in ends],
    )


def redact_request(text: str) -> str:
    """A person's own words as they may be stored: what follows "password" and the like is masked too."""
    return Redactor().redact(_SPOKEN.sub(rf"\1{MASK}", text))


def _written_forms(secret: str) -> set[str]:
    """The ways in which a value shows up in diffs, arguments and messages."""
    lines = [line.strip() for line in secret.splitlines() if len(line.strip()) >= 2 * _SURE_LENGTH]
    forms = {secret, secret.strip(), *lines}
    escaped = {json.dumps(form)[1:-1] for form in (secret, *lines)}
    # What modules print is JSON, and may hold a document that is JSON itself.
    forms |= escaped | {json.dumps(form)[1:-1] for form in escaped} | {json.dumps(secret, ensure_ascii=False)[1:-1]}
    forms |= {repr(secret)[1:-1], shlex.quote(secret), secret.replace("'", "''")}
    forms.add(base64.b64encode(secret.encode("utf-8", "surrogatepass")).decode())
    return {form for form in forms if form}
