"""What to ask about a request that is not clear. Pure."""

from collections.abc import Mapping, Sequence

from intendant.intents import Intent, Step
from intendant.schemas import join_description
from intendant.words.candidates import MAYBE_PACKAGE, MIN_SCORE, Candidate
from intendant.words.clauses import Clause
from intendant.words.contexts import gives_command, gives_secret
from intendant.words.hostnames import HostNames
from intendant.words.mentions import Mentions
from intendant.words.targets import ALL, PREPOSITIONS, TARGET_FILLERS
from intendant.words.tokens import Token
from intendant.words.wording import Wording


class Questions:
    """Asks about a fixed set of intents."""

    def __init__(self, intents: Mapping[str, Intent]) -> None:
        self._intents = intents

    def ask(
        self, wording: Wording, mentions: Mentions, tokens: Sequence[Token], clauses: Sequence[Clause],
        steps: Sequence[Step], candidates: Sequence[Candidate], names: HostNames,
    ) -> str:  # fmt: skip
        """What to ask; empty when intents, params and the named hosts are clear."""
        if wording.negation:
            return f"The request says '{wording.negation}'. What should be changed? Say it without a negation."
        if gives_secret(tokens):
            return ("Passwords are not read from a request, which is stored as it is. Name the intent and its params, "
                    'with the password as {"from_var": NAME OF A VAULT VARIABLE}.')  # fmt: skip
        if gives_command(tokens) and not steps:
            return "A command is run only as it is written: use run_command, or 'intendant exec HOSTS -- COMMAND'."
        if wording.is_question:
            return "That is a question, and only changes are planned. What should be changed?"
        if mentions.question:
            return mentions.question
        if steps:
            return ""
        if doubt := next((clause.doubt for clause in clauses if clause.doubt), ""):
            return doubt
        if unknown := _explain_unknown_host(tokens, names):
            return unknown
        first = candidates[0] if candidates else None
        least = MIN_SCORE + (MAYBE_PACKAGE if first and first.intent == "packages" else 0.0)
        if first is None or (first.score < least and not any(clause.readings for clause in clauses)):
            return self._explain_unknown(candidates)
        ahead = len(candidates) == 1 or first.score - candidates[1].score >= 5
        if first.missing and ahead:
            options = self._intents[first.intent].options
            about = {name: join_description(options[name].get("description")).rstrip(".") for name in first.missing}
            asked = " ".join(f"What is {name}{f' ({text})' if text else ''}?" for name, text in about.items())
            return f"Is {first.intent} meant ({first.title})? {asked}"
        listed = "; ".join(f"{candidate.intent} ({candidate.title})" for candidate in candidates[:3])
        return f"Which is meant: {listed}? Name the intent and its params, or say it in fewer words."

    def _explain_unknown(self, candidates: Sequence[Candidate]) -> str:
        near = ", ".join(candidate.intent for candidate in candidates[:3]) or ", ".join(sorted(self._intents)[:20])
        packages = ' If it is software of the distribution, ask for its package: "install the package NAME".'
        return (
            f"No intent fits the words: the catalogue has nothing for that. Known or near: {near}."
            f"{packages if 'packages' in self._intents else ''} For anything else there are Ansible's ad-hoc commands."
        )


def _explain_unknown_host(tokens: Sequence[Token], names: HostNames) -> str:
    """A question about the word after "on", when the inventory has no such name; empty when there is none."""
    for position, before in enumerate(tokens[:-1]):
        named = next((token for token in tokens[position + 1 :] if token.word not in TARGET_FILLERS | ALL), None)
        if before.word not in PREPOSITIONS or named is None or not named.word:
            continue
        # Whatever comes after "on" is a place; after "to" and the like only what looks like a host.
        near = names.nearest(named.text, 60 if before.word == "on" else 80)
        if before.word == "on" or near:
            known = near or [*names.groups, *names.hosts][:5]
            listed = f" Did you mean {', '.join(known)}?" if near else f" Known: {', '.join(known)}." if known else ""
            return f"The inventory has no host or group '{named.text}'.{listed}"
    return ""
