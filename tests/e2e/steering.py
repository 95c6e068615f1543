"""The operator's commands on the stack, while its functions work."""

import json
import time

from e2e.cases import say, test
from e2e.command import command, json_of
from e2e.expected import check, equal
from e2e.stack import COUNTS, until


def worked(job, rows):
    """The status of a job that is planned, and of which so many rows are done."""
    done = command("status", job, "--json")
    if done.returncode == 2:
        return None  # its event is still on the way
    status = json_of(["status", job])
    return status if status["status"] != "PREPARING" and status["records"] >= rows else None


def json_of_list(arguments):
    """Runs `jobs` with --json: its one JSON array."""
    done = command(*arguments, "--json")
    equal(0, done.returncode, f"exit code of batchfleet {' '.join(arguments)}")
    value = json.loads(done.stdout)
    check(isinstance(value, list), f"stdout is not one JSON array: {done.stdout!r}")
    return value


def done_batches(stack, job):
    return sum(item["st"] == "DONE" for item in stack.batches(job).values())


@test
def a_job_is_steered(stack, files):
    """A job is paused within 2 s and moves no further, goes on when resumed, and an abort leaves a
    summary whose counts are those of the delivered rows; each command says what is so."""
    path, written = files.people(1_000_000, 11)
    job = stack.put(stack.key("people", "steered.csv"), path)["job"]
    status = until("rows are done", 60, lambda: worked(job, 1))
    check(status["cost"]["write_units"] > status["batches"]["done"], f"the cost is missing: {status}")
    check(job in [one["job"] for one in json_of_list(["jobs"])], "an open job is not listed")

    began = time.monotonic()
    paused = json_of(["pause", job])
    took = time.monotonic() - began
    equal(("PAUSED", 0), (paused["status"], paused["held"]), "the paused job and what is held of it")
    before = done_batches(stack, job)
    explained = json_of(["explain", job])["explanation"]
    check(explained.startswith("the job has been paused for "), explained)
    time.sleep(3)
    equal(before, done_batches(stack, job), "batches done of a paused job, three seconds later")
    say(f"paused, and every batch handed back, in {took:.1f} s")

    equal("PROCESSING", json_of(["resume", job])["status"], "status of the resumed job")
    began = time.monotonic()
    until("a resumed job goes on", 20, lambda: done_batches(stack, job) > before)
    say(f"going on after {time.monotonic() - began:.1f} s; {json_of(['explain', job])['explanation']}")

    began = time.monotonic()
    summary = json_of(["abort", job])
    say(f"aborted and reported in {time.monotonic() - began:.1f} s, at {summary['records']:,} rows")
    equal("ABORTED", summary["status"], "status of the aborted job")
    check(summary["records"] < written["rows"], "the job was over before it was aborted")
    uncounted = stack.summary(job).get("uncounted_parts", [])
    equal([], uncounted, "parts that no count has, though no worker died")
    # An empty part keeps the name of a batch that was handed back from workers that still live.
    parts = (stack.read(key) for key in stack.objects(job, "output/"))
    equal(summary["accepted"], sum(part.count(b"\n") for part in parts), "delivered rows")
    status = json_of(["status", job], exit_code=1)
    equal({name: summary[name] for name in COUNTS}, {name: status[name] for name in COUNTS}, "counts of the status")
    rejects = command("rejects", job).stdout
    equal(stack.read(f"jobs/{job}/rejects.csv"), rejects, "the printed rejects")
    equal("the job is over: ABORTED\n", command("explain", job).stdout.decode(), "the explanation")
