"""Which intents a request may mean, best first, with what was read of their params. Pure."""

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from intendant.intents import Intent
from intendant.words.clauses import Clause, ClauseReader
from intendant.words.phrases import Phrases
from intendant.words.ranking import Ranking, evident_params
from intendant.words.slots import missing_params
from intendant.words.tokens import Token
from intendant.words.wording import correct_verb

MAX_CANDIDATES = 5
#: below it an intent that nobody read is not worth a question
MIN_SCORE = 30.0
#: what a package gets that no role is named after
MAYBE_PACKAGE = 35.0
_ARRIVALS = frozenset({"install", "set", "setup", "add", "get", "deploy"})


class Candidate(BaseModel):
    """An intent that may be meant. ``score`` is 0..100; ``missing`` names required params that were not read."""

    model_config = ConfigDict(frozen=True)

    intent: str
    title: str
    score: float
    params: dict[str, JsonValue] = Field(default_factory=dict)
    missing: list[str] = Field(default_factory=list)


class Candidates:
    """Ranks a fixed set of intents."""

    def __init__(self, intents: Mapping[str, Intent], phrases: Phrases, reader: ClauseReader) -> None:
        self._intents = intents
        self._phrases = phrases
        self._reader = reader
        self._ranking = Ranking(list(intents.values()))

    def rank(self, tokens: Sequence[Token], clauses: Sequence[Clause]) -> list[Candidate]:
        """The intents that may be meant, best first: those that were read, then those whose words are near."""
        ranked: dict[str, Candidate] = {}
        near = self._ranking.score("schedule" if token.is_time else token.word for token in tokens)
        for clause in clauses:
            if clause.rival:
                params = evident_params(self._intents[clause.rival], tokens)
                ranked[clause.rival] = self._candidate(clause.rival, 99.0, params)
            for reading in sorted(
                clause.readings, key=lambda reading: (len(self._reader.missing(reading)), -reading.literal)
            ):
                share = reading.literal / reading.words
                is_meant = any(step.intent == reading.intent for step in clause.steps)
                score = 100.0 if is_meant else 80.0 + 9.0 * min(share, 1) + near[reading.intent] / 10
                if reading.intent not in ranked:
                    ranked[reading.intent] = self._candidate(reading.intent, score, reading.params[0])
        verb = correct_verb(next((token.word for token in tokens if token.word), ""), self._phrases.verbs)
        for name, intent in self._intents.items():
            # An intent that answers to the verb may be meant, whatever else is said.
            score = 0.85 * near[name] + (15.0 if self._phrases.is_order_for(name, verb) else 0.0)
            # What no role is named after may still be a package.
            score += MAYBE_PACKAGE if name == "packages" and verb in _ARRIVALS else 0.0
            if name not in ranked and score >= MIN_SCORE / 2:
                ranked[name] = self._candidate(name, min(score, 79.0), evident_params(intent, tokens))
        ordered = sorted(ranked.values(), key=lambda candidate: (-candidate.score, candidate.intent))
        return ordered[:MAX_CANDIDATES]

    def _candidate(self, name: str, score: float, params: Mapping[str, JsonValue]) -> Candidate:
        intent = self._intents[name]
        missing = missing_params(intent, params)
        said = {param: value for param, value in params.items() if param not in missing}
        return Candidate(intent=name, title=intent.title, score=round(score, 1), params=said, missing=missing)
