"""Short forms of ./dev chaos, so that it keeps working."""

from e2e.cases import say, test
from e2e.chaos import Chaos
from e2e.expected import check
from e2e.killed_runs import KilledRuns

SEED = 7


@test
def killed_runs(stack, files):
    """Five runs in one process, killed and frozen at random moments and started again, end with the
    counts and rows of an undisturbed one; and the checks find what is spoiled."""
    report = KilledRuns(files, SEED).run(5)
    check(report["ok"], f"violations: {report['violations']}")
    say(f"{report['kills']} kills, {report['kills_after_progress']} after progress; {report['stops']} stops")


@test
def a_minute_of_chaos(stack, files):
    """Jobs complete, with every row once, while calls of AWS fail, functions are killed and frozen,
    and events come again; and the checks find what is spoiled."""
    report = Chaos(stack, files, jobs=4, minutes=0.75, seed=SEED, rows_max=40_000).run(settle=False)
    check(report["ok"], f"violations: {report['violations']}")
    faults = sum(sum(counts.values()) for counts in report["faults"].values())
    say(f"{report['jobs']} jobs of {report['records']:,} rows; {report['calls']:,} calls, {faults} of them failed")
    say(f"kills {report['kills']}, {report['zombies']} zombies, {report['events_repeated']} repeated events")
    check(faults > 100 and report["invocations_killed"], "too little was disturbed for it to count")
