"""The plan as text, printed before anything runs, and as JSON for other programs."""

from __future__ import annotations

import json
import math
import textwrap
from collections.abc import Iterator, Sequence

from harness.model import OFF, Catalogue, Clause, Combination, Flag
from harness.planning.coverage import choices
from harness.planning.exhaustive import count
from harness.planning.plan import Plan, groups

WIDTH = 100
ROWS = 12


def as_text(plan: Plan, rows: int = ROWS) -> str:
    """Return the plan as plain text of at most WIDTH columns (a longer single word stays whole).

    Each row is a combination, numbered in the order of the plan and written as its changes from the baseline.
    All rows are shown when there are at most `rows`, otherwise the first and the last of them.
    """
    sections = (
        [_headline(plan)],
        _flags(plan.catalogue),
        _constraints(plan.catalogue),
        _scenarios(plan),
        _rows(plan, rows),
        _wrapped("", f"Coverage: {plan.choice}.") if plan.choice else [],
        _wrapped("", claim_sentence(plan)),
    )
    return "\n\n".join("\n".join(line.rstrip() for line in section) for section in sections if section) + "\n"


def as_json(plan: Plan) -> str:
    """Return the plan as JSON, the same text for the same plan.

    `claim` has kind, valid_combinations, strength (null but for t-way plans) and what is fixed; `choice` says
    why a coverage was chosen (empty when it was given); `flags` and `constraints` repeat the catalogue. `rows`
    are the combinations in the order of the plan, each as {flag: variant}. Each of `trials` has its id, the
    scenario, the combination's id, and `row`, from 1, as in the printed plan.
    """
    row = {combination: number for number, combination in enumerate(plan.combinations, start=1)}
    document = {
        "claim": {
            "kind": plan.claim.kind,
            "valid_combinations": plan.claim.valid_combinations,
            "strength": plan.claim.strength,
            "fixed": dict(plan.claim.fixed),
        },
        "choice": plan.choice,
        "seed": plan.seed,
        "source": plan.catalogue.source,
        "flags": [
            {"name": f.name, "kind": f.kind, "variants": list(f.variants), "baseline": f.usual, "context": f.context}
            for f in plan.catalogue.flags
        ],
        "constraints": [
            {"forbidden": {name: sorted(held) for name, held in c.forbidden}, "reason": c.reason}
            for c in plan.catalogue.constraints
        ],
        "scenarios": list(plan.scenarios),
        "rows": [dict(combination) for combination in row],
        "trials": [
            {
                "id": trial.id,
                "scenario": trial.scenario,
                "combination": trial.combination.id,
                "row": row[trial.combination],
            }
            for trial in plan.trials
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def claim_sentence(plan: Plan) -> str:
    """Return in one sentence what the plan shows when every trial has its verdict."""
    return f"Claim: {claim_words(plan)}."


def claim_words(plan: Plan) -> str:
    """Return the claim's kind and what it says, such as `exhaustive: each of 6 scenarios is played under ...`."""
    valid = several(plan.claim.valid_combinations, "valid combination")
    played, t, kind = len(plan.combinations), plan.claim.strength, str(plan.claim.kind)
    scenarios = each_of(plan.scenarios)
    match plan.claim.kind:
        case "exhaustive":
            what = f"{scenarios} is played under each of the {valid}"
        case "proved":
            what = f"in {scenarios} each of the {valid} is played, or implied by one that is ({played:,})"
        case "t-way":
            kind = f"t-way {t}"
            what = f"every valid {choices(t or 0)} is played in {scenarios}, in {played:,} of {valid}"
        case "selection":
            what = f"{several(len(plan.trials), 'trial')} under {played:,} of {valid}, and nothing beyond them"
    if plan.claim.fixed:
        held = " and ".join(f"{flag}={variant}" for flag, variant in plan.claim.fixed)
        what += f", all with {held}, which this run holds so"
    return f"{kind}: {what}"


def each_of(scenarios: Sequence[str]) -> str:
    """Return how many scenarios something is said of: `each of 6 scenarios`, or `1 scenario`."""
    return several(len(scenarios), "scenario") if len(scenarios) == 1 else f"each of {len(scenarios):,} scenarios"


def _headline(plan: Plan) -> str:
    scenarios = several(len(plan.scenarios), "scenario")
    combinations = several(len(plan.combinations), "combination")
    deployments = len(groups(plan))
    apart = f" in {deployments} deployments, one after the other" if deployments > 1 else ""
    return f"Plan: {scenarios}, {combinations}, {several(len(plan.trials), 'trial')}{apart}, seed {plan.seed}"


def _flags(catalogue: Catalogue) -> Iterator[str]:
    yield f"Flags ({len(catalogue.flags)}, from {catalogue.source}; * is the baseline)"
    starts = _aligned([(flag.name, _kind(flag)) for flag in catalogue.flags])
    for flag, start in zip(catalogue.flags, starts, strict=True):
        variants = " ".join(f"{'*' * (v == flag.usual)}{v}" for v in flag.variants)
        yield from _wrapped(f"{start}  ", variants)
    for flag in catalogue.flags:
        for variant in flag.variants:
            if not count(catalogue, {flag.name: variant}):
                yield f"  never: the constraints leave no valid combination with {flag.name}={variant}"


def _kind(flag: Flag) -> str:
    return flag.kind if flag.context == "user" else f"{flag.kind}, {flag.context}"


def _constraints(catalogue: Catalogue) -> Iterator[str]:
    yield f"Constraints ({len(catalogue.constraints)})"
    for constraint in catalogue.constraints:
        never = f"never {_forbidden(catalogue, constraint.forbidden)}"
        yield from _wrapped("  ", f"{constraint.reason} ({never})" if constraint.reason else never)
    full = math.prod(len(flag.variants) for flag in catalogue.flags)
    valid = count(catalogue)
    yield f"  {valid:,} of the full product's {several(full, 'combination')} are valid"


def _forbidden(catalogue: Catalogue, clause: Clause) -> str:
    variants = {flag.name: flag.variants for flag in catalogue.flags}
    words = []
    for name, held in clause:
        given = [variant for variant in variants[name] if variant in held]
        is_on = len(given) > 1 and held == frozenset(variants[name]) - {OFF}
        words.append(f"{name} not off" if is_on else f"{name}={'|'.join(given)}")
    return " with ".join(words)


def _scenarios(plan: Plan) -> Iterator[str]:
    trials = [trial.scenario for trial in plan.trials]
    yield f"Scenarios ({len(plan.scenarios)})"
    yield from _aligned([(name, several(trials.count(name), "trial")) for name in plan.scenarios])


def _rows(plan: Plan, limit: int) -> Iterator[str]:
    yield "Rows (a combination each, as its changes from the baseline)"
    combinations = plan.combinations
    trials = dict.fromkeys(combinations, 0)
    for trial in plan.trials:
        trials[trial.combination] += 1
    digits = max(len(f"{len(combinations):,}"), 3)
    played = max(len(str(max(trials.values(), default=0))), 6)
    yield f"  {'row':>{digits}}  {'id':<8}  {'trials':>{played}}  changes"
    hidden = range(0)
    if len(combinations) > limit:
        hidden = range((limit + 1) // 2, len(combinations) - limit // 2)
    for i, combination in enumerate(combinations):
        if i in hidden:
            if i == hidden.start:
                yield f"  {'...':>{digits}}  {several(len(hidden), 'more row')}"
            continue
        start = f"  {i + 1:>{digits},}  {combination.id}  {trials[combination]:>{played}}  "
        yield from _wrapped(start, changed(plan.catalogue, combination) or "none: the baseline")


def changed(catalogue: Catalogue, combination: Combination) -> str:
    """Return the flags that are not at the baseline, as `a=on b=off`; empty at the baseline itself."""
    baseline = catalogue.production
    changes = [f"{name}={variant}" for name, variant in combination.items() if variant != baseline[name]]
    return " ".join(changes)


def _wrapped(start: str, text: str) -> list[str]:
    """Wrap the text between its words; the lines after the first stand under its beginning."""
    below = " " * len(start)
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=start,
        subsequent_indent=below,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _aligned(rows: Sequence[tuple[str, str]]) -> list[str]:
    width = max((len(left) for left, _ in rows), default=0)
    wide = max((len(right) for _, right in rows), default=0)
    return [f"  {left:<{width}}  {right:<{wide}}" for left, right in rows]


def several(number: int, noun: str) -> str:
    """Return how many there are of something: `1 trial`, `2,000 trials`, `3 stories`."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"
