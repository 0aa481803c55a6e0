"""The verdict in plain text, the most important sentence first, each failure ending in a command to paste."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from harness.drivers.choice import API, ROLES, choose
from harness.flags.outage import DOWN
from harness.ledger import Action, Entry, Ledger, Outcome
from harness.model import Finding, Verdict, printable
from harness.planning.coverage import AUTO
from harness.planning.narrow import describe, describe_region
from harness.planning.render import changed, claim_words, each_of, several
from harness.provenance import REPLAY_LIST, REPLAY_MEDIA, Provenance, derive
from harness.redact import without_login
from harness.running.outcome import RunOutcome, ScenarioOutcome
from harness.running.rank import ELSEWHERE, as_told
from harness.running.settings import DEFAULT_DRIVER, DEFAULT_FLAGS, DEFAULT_SCENARIOS, DEFAULT_TARGET, Settings
from harness.running.store import EVIDENCE, StoredRun
from harness.running.trial import TrialResult

FINDINGS_SHOWN = 3
EVIDENCE_SHOWN = 6
CONDITIONS_SHOWN = 5
REGIONS_SHOWN = 3
PATHS_NAMED = 2
"""The command to play the run again has all of them."""
TRIALS_NAMED = 20
"""In the command that plays a selection again; of a larger one each failure has its own."""
AGAIN = "-again"
NEEDS_OTHERS = "what leaked is other trials': alone it may be valid, then play the scenario as a whole"
RUN_AGAIN = "the whole run again"
"""How the line begins that ends in the command."""
SIGHTS = {Action.OPEN: "opened    ", Action.READ: "read      ", Action.HEAR: "heard     "}
LIMITS = {
    "selection": " in the trials that were selected",
    "t-way": " in the combinations that were executed",
}


BASELINE = "every flag at the baseline"
SHIP = {
    "exhaustive": "safe with each of the {valid:,} valid combinations of flags",
    "t-way": "nothing stands against it in the {done:,} executed of {valid:,} valid combinations",
}
"""What a valid run says of shipping, by the kind of its claim; of selected trials nothing is said."""


def verdict(outcome: RunOutcome, settings: Settings, stored: StoredRun) -> str:
    """Return the whole verdict: a sentence on the run, a paragraph a scenario, and where the report lies."""
    lines = [*_headline(outcome, settings), ""]
    for scenario in outcome.told:
        lines += _scenario(scenario, outcome, settings, stored)
    lines += [f"not proved: {doubt}" for doubt in outcome.doubts]
    if outcome.control and outcome.control.found:
        lines.append(f"control: {outcome.control.sentence}")
    lines.append(f"{outcome.requests:,} requests in {outcome.elapsed_s:.1f} s; report: {stored.path}")
    return "\n".join(lines)


def failure(result: TrialResult, settings: Settings, stored: StoredRun) -> str:
    """Return one trial's failure, as the pytest plugin reports it."""
    head = f"{result.trial.scenario}: {result.verdict.upper()} with {result.trial.combination}"
    return printable("\n".join([head, *_findings(result, stored), f"  again: {again(result, settings)}"]))


def again(result: TrialResult, settings: Settings) -> str:
    """Return the command that plays a trial again, in a directory of its own: this run's ledgers stay.

    It has the run's coverage, since the trial may be in no other plan.
    """
    return _command(settings, result.trial.seed, ["--trial", result.trial.id])


def run_again(outcome: RunOutcome, settings: Settings) -> str:
    """Return the command that plays the whole run again, in a directory of its own; empty for a large selection."""
    plan = outcome.plan
    if plan.claim.kind != "selection":
        return _command(settings, plan.seed, settings.scenarios)
    if len(plan.trials) > TRIALS_NAMED:
        return ""
    return _command(settings, plan.seed, [word for trial in plan.trials for word in ("--trial", trial.id)])


def command_words(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield what is not the default of a run as options of `harness run`, each with its value, not quoted.

    A user and a password in an address are left out.
    """
    flag_server = settings.flag_server and without_login(settings.flag_server)
    once = (
        ("--target", without_login(settings.target), DEFAULT_TARGET),
        ("--driver", settings.driver, DEFAULT_DRIVER),
        ("--flag-server", flag_server, None),
        ("--flags", settings.flags, DEFAULT_FLAGS),
        ("--coverage", settings.coverage, AUTO),
    )
    yield from ((option, str(value)) for option, value, usual in once if value != usual)
    yield from (("--set", choice) for choice in settings.chosen)
    yield from (("--flaw", flaw) for flaw in settings.flaws)


def _command(settings: Settings, seed: int, which: Sequence[str]) -> str:
    words = ["harness", "run", *_chosen_paths(settings), *which, "--seed", str(seed), *chain(*command_words(settings))]
    out = str(settings.out)
    return shlex.join([*words, "--out", out if out.endswith(AGAIN) else out + AGAIN])


def _chosen_paths(settings: Settings) -> list[str]:
    return [path for path in settings.paths if path != str(DEFAULT_SCENARIOS)]


def _headline(outcome: RunOutcome, settings: Settings) -> Iterator[str]:
    """Answer the release manager first: may we ship, and with which flags?"""
    done = sum(1 for result in outcome.results if result.executed)
    claim = outcome.plan.claim
    ran = f"{done} of {len(outcome.plan.trials)} trials executed"
    scope = (
        f"{outcome.executed:,} of {claim.valid_combinations:,} valid combinations in {each_of(outcome.plan.scenarios)}"
    )
    yield {
        Verdict.VALID: f"VALID: nobody could see media that is not theirs{LIMITS.get(claim.kind, '')}",
        Verdict.INVALID: "INVALID: do not ship",
        Verdict.UNKNOWN: "UNKNOWN: nothing is proved, do not ship on this",
    }[outcome.verdict]
    if outcome.verdict is Verdict.VALID and claim.kind in SHIP:
        yield f"  ship: {SHIP[claim.kind].format(done=outcome.executed, valid=claim.valid_combinations)}"
    for region in outcome.safe[:REGIONS_SHOWN]:
        yield f"  {'ship' if region.exact else 'hypothesis'}: {describe_region(region)}"
    yield f"  played: {', '.join(_played(outcome, settings))}"
    yield f"  {ran}; {scope}"
    if claim.kind == "t-way" or claim.fixed:
        yield f"  {claim_words(outcome.plan)}"
    command = run_again(outcome, settings)
    if command:
        yield f"  {RUN_AGAIN}: {command}"


def _played(outcome: RunOutcome, settings: Settings) -> Iterator[str]:
    """Yield what was played against what: without it, nobody knows of what the verdict speaks."""
    yield without_login(settings.target)
    hands = choose(settings.driver)
    names = {role: "API" if hands[role] == API else hands[role] for role in ROLES}
    alike = len(set(names.values())) == 1
    yield f"by {next(iter(names.values()))}" if alike else " and ".join(f"{role} by {by}" for role, by in names.items())
    chosen = _chosen_paths(settings)
    paths = " and ".join(chosen) if len(chosen) <= PATHS_NAMED else f"{len(chosen)} paths"
    yield f"{several(len(outcome.plan.scenarios), 'scenario')}{f' of {paths}' if paths else ''}"
    yield f"seed {outcome.plan.seed}"
    if settings.flag_server == DOWN:
        yield "while its flag server was down"
    elif settings.flag_server:
        yield f"flags from {without_login(settings.flag_server)}"
    if settings.flaws:
        yield f"with the flaw{'s' * (len(settings.flaws) > 1)} {' and '.join(settings.flaws)} planted"


def _scenario(scenario: ScenarioOutcome, outcome: RunOutcome, settings: Settings, stored: StoredRun) -> Iterator[str]:
    counts = scenario.counts
    tally = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])
    yield f"{scenario.name}: {scenario.verdict.upper()} ({tally or 'not executed'})"
    for condition in scenario.conditions[:CONDITIONS_SHOWN]:
        verb = "leak" if scenario.leaks_under(condition) else "fail"
        yield f"  {describe(condition, outcome.plan.catalogue, verb)}"
    if len(scenario.conditions) > CONDITIONS_SHOWN:
        yield f"  ... and under {len(scenario.conditions) - CONDITIONS_SHOWN} more conditions"
    if scenario.worst:
        worst = scenario.worst.trial
        yield f"  trial {worst.id}, with {changed(outcome.plan.catalogue, worst.combination) or BASELINE}"
        yield from _findings(scenario.worst, stored)
        if scenario.worst.executed:
            yield from _look(scenario.worst, settings, stored)
    yield ""


def _look(worst: TrialResult, settings: Settings, stored: StoredRun) -> Iterator[str]:
    """Say where the trial that is shown can be looked at, and how it is played again."""
    evidence = stored.path / EVIDENCE / worst.trial.id
    if evidence.is_dir():
        yield f"  evidence: {evidence}"
    yield f"  again: {again(worst, settings)}"
    if worst.needs_others:
        yield f"         {NEEDS_OTHERS}"
    elif any(ELSEWHERE in finding.owner for finding in as_told(worst.findings)[:FINDINGS_SHOWN]):
        yield "         alone it meets nothing of other trials: of what is shown above, only its own"


def _findings(result: TrialResult, stored: StoredRun) -> Iterator[str]:
    shown = as_told(result.findings)[:FINDINGS_SHOWN]
    ledger = stored.ledger(result.trial) if result.executed else None
    provenance = derive(ledger) if ledger else None
    for finding in shown:
        degree = f", {finding.degree}" if finding.degree else ""
        yield f"  {finding.check}{degree}: {finding.sentence}"
        if ledger and provenance:
            yield from _evidence(finding, ledger, provenance)
    if len(result.findings) > len(shown):
        yield f"  ... and {len(result.findings) - len(shown)} more findings in this trial"


def _evidence(finding: Finding, ledger: Ledger, provenance: Provenance) -> Iterator[str]:
    entries = [ledger[seq] for seq in finding.evidence if seq < len(ledger)][-EVIDENCE_SHOWN:]
    seen = [entry for entry in entries if entry.action in SIGHTS]
    proving = [each for each in seen if each.data.get("content", {}).get("canaries") or each.data.get("texts")]
    telling = (proving or seen or entries)[-1:]
    for entry in entries:
        here = "   <--- here" if entry in telling else ""
        yield f"    #{entry.seq:<4} {entry.actor:<8} {_did(entry, finding, provenance)}{here}"


def _did(entry: Entry, finding: Finding, provenance: Provenance) -> str:
    data = entry.data
    if entry.outcome is not Outcome.OK:
        return f"{entry.action} {entry.outcome}: {data.get('error', '')}".rstrip(": ")
    if entry.action is Action.EMIT:
        return f"emitted   {data['medium']} in {data['visit']} as {data['canary']}"
    if entry.action is Action.LIST:
        return f"listed    {finding.recording or data['surface']} among {len(data['items'])}"
    if entry.action in SIGHTS:
        return f"{SIGHTS[entry.action]}{_shown(entry, provenance)}"
    if entry.action is Action.WRITE:
        return f"wrote     a {data['what']} as {data['canary']}"
    return f"{entry.action} {data.get('visit', '')}".rstrip()


def _shown(entry: Entry, provenance: Provenance) -> str:
    """Return what was looked at, and whose canaries were in it."""
    data = entry.data
    recording, about, surface = data.get("recording", ""), data.get("about", ""), data["surface"].replace("-", " ")
    what = recording if data["surface"] in (REPLAY_LIST, REPLAY_MEDIA) else f"{surface} {recording}{about}".rstrip()
    found = [_whose(each, provenance) for each in data.get("content", {}).get("canaries", ())]
    found += [_wrote(each, provenance) for each in data.get("texts", ())]
    return f"{what} -> {', '.join(dict.fromkeys(found)) or 'no canary'}"


def _wrote(sighting: Mapping[str, str], provenance: Provenance) -> str:
    writing = provenance.writings.get(int(sighting["value"]))
    whose = f"{writing.what} of {writing.actor}" if writing else f"words of {sighting['owner']}"
    return f"{sighting['value']}, {whose}"


def _whose(sighting: Mapping[str, str], provenance: Provenance) -> str:
    emission = provenance.emissions.get(int(sighting["value"]))
    owner = f"{emission.actor} in {emission.visit}" if emission else sighting["owner"]
    return f"{sighting['value']}, {owner}"
