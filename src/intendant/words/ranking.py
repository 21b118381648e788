"""Ranks intents by how near their words are to a request that no phrase fits. Pure."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

from pydantic import JsonValue
from rapidfuzz import fuzz, process

from intendant.intents import Intent
from intendant.words.tokens import Token
from intendant.words.vocabulary import ARTICLES, FUNCTION_WORDS, JOINERS

_SLOT = re.compile(r"\{[^}]*\}")
_WORD = re.compile(r"[^\W\d_]{2,}[\w./-]*")
_IGNORED = (
    ARTICLES | FUNCTION_WORDS | JOINERS | frozenset("the or that it this make sure ensure i we me want need".split())
)
#: how much a word counts, by where the intent has it
_NAME, _SYNONYM, _TAG, _PHRASE, _PROSE = 1.0, 1.0, 0.8, 0.6, 0.35
#: how alike two words must be to count as one, of 100
_ALIKE = 82.0


class Ranking:
    """The words of a set of intents, the rarer the more telling."""

    def __init__(self, intents: Sequence[Intent]) -> None:
        self._weights: dict[str, dict[str, float]] = {intent.name: _weigh(intent) for intent in intents}
        counts = Counter(word for weights in self._weights.values() for word in weights)
        self._rarity = {word: 1 + math.log(len(intents) / count) for word, count in counts.items()}
        self._known = sorted(counts)

    def score(self, words: Iterable[str]) -> dict[str, float]:
        """0..100 for each intent: which part of the telling words of the request it knows."""
        spoken = [word for word in words if word and word not in _IGNORED]
        spoken += [" ".join(pair) for pair in pairwise(spoken)]
        scores = dict.fromkeys(self._weights, 0.0)
        total = 0.0
        for word in dict.fromkeys(spoken):
            alike = process.extract(word, self._known, scorer=fuzz.ratio, limit=4, score_cutoff=_ALIKE)
            alike = [match for match in alike if match[0] == word] or alike
            if not alike:
                continue
            total += max(self._rarity[known] for known, _, _ in alike)
            for name, weights in self._weights.items():
                scores[name] += max(
                    (
                        weights[known] * self._rarity[known] * likeness / 100
                        for known, likeness, _ in alike
                        if known in weights
                    ),
                    default=0.0,
                )
        return {name: 100 * score / total for name, score in scores.items()} if total else scores


def _weigh(intent: Intent) -> dict[str, float]:
    weights: dict[str, float] = {}
    name = intent.name.rpartition(".")[2].lower()
    sources = [
        (_PROSE, _words(f"{intent.title} {intent.description}")),
        (_PHRASE, [word for phrase in intent.phrases for word in _words(_SLOT.sub(" ", phrase))]),
        (_TAG, [tag.lower() for tag in intent.tags]),
        (_SYNONYM, [part for synonym in intent.synonyms for part in (synonym.lower(), *_words(synonym))]),
        (_NAME, [name, name.replace("_", " "), *name.split("_")]),
    ]
    for weight, words in sources:
        weights.update(dict.fromkeys((word for word in words if word not in _IGNORED), weight))
    return weights


def _words(text: str) -> list[str]:
    return [word.strip(".") for word in _WORD.findall(text.lower())]


def evident_params(intent: Intent, tokens: Sequence[Token]) -> dict[str, JsonValue]:
    """Required params whose form gives them away: the one version, the one path."""
    found: dict[str, JsonValue] = {}
    for name in intent.required():
        form = r"\d+(\.\d+)+" if name.endswith("_version") else r"/\S+" if name.endswith("_path") else None
        matches = [token.text for token in tokens if form and re.fullmatch(form, token.text)]
        if len(matches) == 1:
            found[name] = matches[0]
    return found
