"""How soon a batch is claimed again after its worker was killed."""

import os
import random
import signal
import statistics
import sys
import time

from e2e.command import EXAMPLES
from e2e.expected import PEOPLE, check

# Enough batches that each job is at work for long, and few enough kills that none is given up.
ROWS, BATCH_RECORDS, KILLS_OF_A_JOB = 500_000, 4_000, 4
JOBS_MAX = 40
# I6: a claimable batch is claimed so long after its lease, where other workers live or wait.
CLAIM_SECONDS = 2


def leased(batches):
    return {(slot, item["f"]) for slot, item in batches.items() if item["st"] == "LEASED"}


def worker_kills(stack, job, kills_max):
    """Kills workers at random moments of a job. Returns the seconds from each kill to the next
    claim of the batch that the victim held; None where it held none."""
    draw = random.Random()
    kills, dead, next_kill = [], set(), None
    end = time.monotonic() + 120
    while True:
        batches = stack.batches(job)
        now = time.monotonic()
        check(now < end, f"job {job} is not over: {stack.job(job)}, kills {kills}")
        for kill in kills:
            # A worker holds one batch at a time, so a kill ends one claim at most.
            again = [(s, f) for s, f in kill["held"] if batches[s]["f"] > f and (s, f) not in dead]
            if again and kill["recovered"] is None:
                dead.add(again[0])
                kill["recovered"] = now - kill["at"]
        if stack.is_over(job):
            return [kill["recovered"] for kill in kills]
        # Only while most workers have a batch: who has none is no victim worth the name.
        victims = stack.processes("worker")
        alive = len(leased(batches)) - sum(kill["recovered"] is None for kill in kills)
        if victims and 2 * alive > len(victims) and len(kills) < kills_max:
            next_kill = next_kill or now + draw.uniform(0.1, 0.5)
            if now >= next_kill:
                os.kill(draw.choice(victims), signal.SIGKILL)
                at = time.monotonic()
                # What it held is still leased to it.
                kills.append({"at": at, "held": leased(stack.batches(job)), "recovered": None})
                next_kill = at + draw.uniform(0.2, 0.8)
        time.sleep(0.05)


def recovery(stack, files, kills):
    """Kills workers in mid-batch, so many that each held a batch, and returns the report."""
    lease = int(stack.variables("worker")["BATCHFLEET_LEASE_MS"]) / 1000
    path, _ = files.people(ROWS, 11)
    text = (EXAMPLES / "people.yaml").read_text().replace("name: people", "name: recovery")
    stack.define("recovery", f"{text}batches: {{ records: {BATCH_RECORDS} }}\n")
    took, jobs, idle = [], 0, 0
    began = time.monotonic()
    while len(took) < kills:
        check(jobs < JOBS_MAX, f"after {jobs} jobs only {len(took)} kills met a worker with a batch")
        jobs += 1
        job = stack.put(stack.key("recovery", f"{jobs}.csv"), path)["job"]
        found = worker_kills(stack, job, min(KILLS_OF_A_JOB, kills - len(took)))
        idle += found.count(None)
        took += [seconds for seconds in found if seconds is not None]
        stack.wait(job)
        stack.compare(path, PEOPLE, job, reports=3)
        print(f"job {jobs}: " + ", ".join(f"{seconds:.1f} s" for seconds in found if seconds), file=sys.stderr)
    median = statistics.median(took)
    return {
        "ok": median <= lease + CLAIM_SECONDS,
        "seconds": round(time.monotonic() - began, 1),
        "lease_seconds": lease,
        "kills": len(took),
        "kills_without_a_batch": idle,
        "jobs": jobs,
        "median_seconds": round(median, 2),
        "max_seconds": round(max(took), 2),
        "bound_of_the_median_seconds": lease + CLAIM_SECONDS,
        "recoveries": [round(seconds, 2) for seconds in took],
        "violations": [] if median <= lease + CLAIM_SECONDS else ["the median is over its bound"],
    }
