"""Prints right, asked and wrong for both parts, by intent; `--show tuned` lists what is not right."""

import argparse

from words.labels import FILES, PARTS, Score, measure, shipped_resolver


def main() -> None:
    parser = argparse.ArgumentParser(prog="words", description=__doc__)
    parser.add_argument("--show", action="append", default=[], choices=PARTS, help="list what is not right in a part")
    parser.add_argument("--file", action="append", choices=FILES, help="only this file of labelled requests")
    options = parser.parse_args()
    resolver = shipped_resolver()
    for file in options.file or FILES:
        for part in PARTS:
            score = measure(resolver, file, part)
            print_score(f"{file}, {part}", score)
            # What strangers asked for in the unseen part stays unseen.
            if part in options.show and (file, part) != ("strangers", "unseen"):
                for verdict in score.verdicts:
                    if verdict.outcome != "right" or not verdict.has_meant:
                        print(f"  {verdict.outcome:5}{'' if verdict.has_meant else ' !'} {verdict.label.say}")
                        print(f"          {verdict.got}")


def print_score(title: str, score: Score) -> None:
    asked = [verdict for verdict in score.verdicts if not verdict.became_plan and verdict.label.meant]
    near = sum(verdict.has_meant for verdict in asked)
    plans = sum(verdict.became_plan and verdict.label.is_question for verdict in score.verdicts)
    shares = ", ".join(f"{outcome} {score.share(outcome):.1%}" for outcome in ("right", "asked", "wrong"))
    print(f"{title}: {len(score.verdicts)} requests, {shares}; questions that became plans: {plans}")
    print(f"  of {len(asked)} that were asked back about, {near} have the intent among the first three candidates")
    for meant, counts in score.by_intent().items():
        print(f"  {meant:20} right {counts['right']:3}  asked {counts['asked']:3}  wrong {counts['wrong']:3}")


if __name__ == "__main__":
    main()
