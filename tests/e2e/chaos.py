"""Jobs on a local AWS that fails: calls of AWS, killed and frozen functions, repeated events.

What must hold: each job ends within its bound, and completes; every row of its file is delivered or
rejected, once, as Python's csv reads it; its ledger is right, in the table and in the one summary;
no message is given up for good; and no log holds a value of a record, or a secret.
"""

import collections
import concurrent.futures
import itertools
import json
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path
from urllib.parse import unquote_plus

from e2e.command import EXAMPLES
from e2e.expected import PEOPLE, check, equal, lost_and_doubled
from e2e.faults import Faults
from e2e.stack import TERMINAL, variable

# Jobs that run at once.
PARALLEL = 4
# Seconds that a job may take: the sweeper's minute, twice over, and its rows at a slow pace.
BOUND_SECONDS, BOUND_ROWS_PER_SECOND = 120, 500
# The run ends early after so many violations.
VIOLATIONS_MAX = 5
# Seconds between two attempts on a process, the share of victims that is frozen, and for how many
# leases. Each attempt is on one of so many places for processes of a function, which may be empty: so
# a process that is the last one does not die any sooner than one among many.
ATTEMPT_SECONDS, FROZEN_SHARE, FROZEN_LEASES = (0.2, 1.0), 0.3, (1.1, 2.5)
PLACES = {"worker": 8, "orchestrator": 4, "sweeper": 1}
# Messages of killed functions show up again after their visibility timeout, a minute.
SETTLE_SECONDS = 200
# A crash between report and mark makes one more of it, always the same.
REPORTS_MAX = 20

PLANTED = "zqxjkvwy"
# Definition → records in a batch. All are examples/people.yaml otherwise.
DEFINITIONS = {"chaos-100": 100, "chaos-1000": 1_000, "chaos-5000": 5_000}
BATCHES_MAX = 150
ROWS = [(0, 20), (200, 5_000), (5_000, 40_000), (80_000, 150_000)]
ROWS_WEIGHTS = [2, 6, 6, 2]
# Rows that are not like others; csv reads each as one record.
ODD_ROWS = [
    "", "only one cell", "a@b.de,Łukasz,1,,,one too many", 'c@d.de," , ""quoted""\r\n\n",,2024-02-29,', ",,,,",
]
NAMES = ["june.csv", "größe=100% (1+1).csv", "日本/2026 06.csv", "a&b=c;d'e.csv", "%20+ +.csv", 'say "hi"!.csv', "🚚.csv"]


def say(text):
    print(text, file=sys.stderr, flush=True)


def send(pid, what):
    """Sends a signal. Whether there was still a process to take it."""
    try:
        os.kill(pid, what)
    except ProcessLookupError:
        return False
    return True


def hidden():
    """What no log may hold."""
    names = {"the secret key": "AWS_SECRET_ACCESS_KEY", "the session token": "AWS_SESSION_TOKEN"}
    return {"a record's value": PLANTED, **{what: variable(name) for what, name in names.items()}}


def check_quiet(lines):
    for what, value in hidden().items():
        found = [line for line in lines if value in line]
        check(not found, lambda: f"{len(found)} lines with {what}, the first: {found[0]:.300}")


def must_fail(what, look):
    """A check that finds nothing wrong with what was spoiled is worth nothing."""
    try:
        look()
    except AssertionError:
        return
    raise AssertionError(f"the checks did not find {what}")


def job_of_letter(stack, body):
    """The job that a dead letter is about; None if it is about none."""
    letter = json.loads(body)
    if "job" in letter:
        return letter["job"]
    if "source" in letter:
        return stack.job_id(letter["source"]["key"], letter["source"]["version"])
    for record in letter.get("requestPayload", {}).get("Records", []):
        source = record["s3"]["object"]
        return stack.job_id(unquote_plus(source["key"]), source["versionId"])
    return None


class Job:
    """One upload and what became of it."""

    def __init__(self, number, definition, path, rows):
        self.number, self.definition, self.path, self.rows = number, definition, path, rows
        self.made, self.took, self.counts = None, None, None
        self.bound = BOUND_SECONDS + rows / BOUND_ROWS_PER_SECOND

    @property
    def id(self):
        return self.made["job"]

    def __str__(self):
        return f"job {self.number} ({self.id}, {self.rows:,} rows, {self.definition})"


class Chaos:
    def __init__(self, stack, files, jobs, minutes, seed, rows_max=None):
        self.stack, self.files, self.jobs_min, self.seconds, self.seed = stack, files, jobs, minutes * 60, seed
        self.rows_max = rows_max or ROWS[-1][1]
        self.directory = Path(variable("BATCHFLEET_LOCAL_AWS"))
        self.jobs, self.violations = [], []
        self.did = collections.Counter()
        self.numbers = itertools.count(1)
        self.stopping = threading.Event()

    # ---- The run -------------------------------------------------------------------------

    def run(self, settle=True):
        """Does it all, and returns the report."""
        since, died_before = int(time.time() * 1000), self.invocations_killed()
        self.began = time.monotonic()
        for name, records in DEFINITIONS.items():
            text = (EXAMPLES / "people.yaml").read_text().replace("name: people", f"name: {name}")
            self.stack.define(name, f"{text}batches: {{ records: {records} }}\n")
        faults = Faults(self.stack, self.seed, self.directory / "faults.log")
        with faults:
            with concurrent.futures.ThreadPoolExecutor(PARALLEL + 2) as pool:
                try:
                    others = [pool.submit(self.harm), pool.submit(self.put_uploads_back)]
                    uploads = [pool.submit(self.upload_until_enough) for _ in range(PARALLEL)]
                    for upload in uploads:
                        upload.result()
                finally:
                    self.stopping.set()
                for other in others:
                    other.result()
            faults.end()
            self.repeat_some_events()
            if settle:
                say("waiting until no message is left")
                self.holds("queues", lambda: self.stack.settle(SETTLE_SECONDS, dead_letters=True))
        seconds = time.monotonic() - self.began
        say("comparing every row")
        for job in self.jobs:
            self.holds(str(job), lambda: self.check_job(job))
        self.holds("jobs", self.check_no_other_jobs)
        self.holds("dead letters", self.explain_dead_letters)
        lines = self.log_lines(since)
        self.holds("logs", lambda: check_quiet(lines))
        if self.violations:
            kept = Path(variable("BATCHFLEET_CACHE")) / f"chaos-{self.seed}.log"
            kept.write_text("\n".join(lines), encoding="utf-8")
            say(f"the logs are kept at {kept}")
        proven = [] if self.violations else self.prove_that_checks_fail(lines)
        self.did["invocations killed"] = self.invocations_killed() - died_before
        return self.report(faults, seconds, len(lines), proven)

    def holds(self, what, look):
        """Whether a check holds; what it found is a violation."""
        try:
            look()
        except AssertionError as error:
            self.violations.append(f"{what}: {error}")
            say(f"VIOLATION: {what}: {error}")

    def is_enough(self):
        done = sum(job.took is not None for job in self.jobs)
        long_enough = time.monotonic() - self.began >= self.seconds
        return (done >= self.jobs_min and long_enough) or len(self.violations) >= VIOLATIONS_MAX

    # ---- Uploads -------------------------------------------------------------------------

    def upload_until_enough(self):
        while not self.is_enough() and not self.stopping.is_set():
            number = next(self.numbers)
            draw = random.Random(f"{self.seed} {number}")
            job = self.file(number, draw)
            name = f"{number}/{draw.choice(NAMES)}"
            began = time.monotonic()
            job.made = self.stack.put(self.stack.key(job.definition, name), job.path)
            self.jobs.append(job)
            self.holds(str(job), lambda: self.follow(job, began, draw))

    def file(self, number, draw):
        """What a job reads: the generator's people, odd rows, and a planted value in each."""
        rows = min(draw.randint(*draw.choices(ROWS, ROWS_WEIGHTS)[0]), self.rows_max)
        fit = [name for name, records in DEFINITIONS.items() if rows <= records * BATCHES_MAX]
        path, _ = self.files.people(rows, self.seed * 10_000 + number)
        text = path.read_bytes().decode().replace("example", PLANTED).replace("Lovelace", PLANTED)
        end = "\n"
        if draw.random() < 0.25:
            text, end = text.replace("\n", "\r\n"), "\r\n"
        header, _, rest = text.partition(end)
        odd = [[draw.choice(ODD_ROWS) for _ in range(draw.randrange(4))] for _ in range(2)]
        text = end.join([header, *odd[0], rest]) + end.join([*odd[1], f"last@{PLANTED}.com,{PLANTED},,,"])
        path.write_bytes(text.encode())
        return Job(number, draw.choice(fit), path, rows)

    def follow(self, job, began, draw):
        """Until its job is over; its event comes again meanwhile, up to three times."""
        events = sorted(draw.uniform(0, 8) for _ in range(draw.choice([0, 0, 1, 2, 3])))
        while not self.stack.is_over(job.id):
            seconds = time.monotonic() - began
            check(seconds < job.bound, lambda: f"not over after {seconds:.0f} s: {self.stack.job(job.id)}")
            check(not self.stopping.is_set(), "stopped before it was over")
            while events and events[0] < seconds:
                events.pop(0)
                self.repeat_event(job)
            time.sleep(0.2)
        job.took = time.monotonic() - began
        say(f"{job} over after {job.took:.1f} s")

    def repeat_event(self, job):
        self.stack.send_event(job.made)
        self.did["events repeated"] += 1

    def repeat_some_events(self):
        """Events that come when all is over; nothing may come of them."""
        for job in random.Random(self.seed).sample(self.jobs, min(5, len(self.jobs))):
            self.repeat_event(job)

    def put_uploads_back(self):
        """What the alarm of these dead letters asks of an operator: an event whose three deliveries were
        all killed before they left a message waits there, and is sent again."""
        while not self.stopping.wait(2):
            for _, body in self.stack.take_dead_letters("upload"):
                self.stack.invoke_orchestrator(json.loads(body)["requestPayload"])
                self.did["uploads put back"] += 1

    # ---- Kills ---------------------------------------------------------------------------

    def harm(self):
        """Kills functions, and freezes some past their lease, until the jobs are over."""
        draw, frozen = random.Random(self.seed), []
        lease = int(self.stack.variables("worker")["BATCHFLEET_LEASE_MS"]) / 1000
        next_attempt = 0.0
        try:
            while not self.stopping.wait(0.05):
                now = time.monotonic()
                for due, pid in [one for one in frozen if one[0] <= now]:
                    frozen.remove((due, pid))
                    self.thaw(pid)
                if now < next_attempt:
                    continue
                next_attempt = now + draw.uniform(*ATTEMPT_SECONDS)
                asleep = [pid for _, pid in frozen]
                (function,) = draw.choices(list(PLACES), PLACES.values())
                place = draw.randrange(PLACES[function])
                victims = [pid for pid in self.stack.processes(function) if pid not in asleep]
                if place >= len(victims):
                    continue
                pid = victims[place]
                if draw.random() < FROZEN_SHARE:
                    if send(pid, signal.SIGSTOP):
                        self.did["stops"] += 1
                        frozen.append((now + lease * draw.uniform(*FROZEN_LEASES), pid))
                elif send(pid, signal.SIGKILL):
                    self.did[f"{function} kills"] += 1
        finally:
            for _, pid in frozen:
                self.thaw(pid)

    def thaw(self, pid):
        """Whoever was not ended meanwhile goes on as a zombie."""
        lives = any(pid in self.stack.processes(function) for function in self.stack.function_names)
        if lives and send(pid, signal.SIGCONT):
            self.did["zombies"] += 1

    # ---- Checks --------------------------------------------------------------------------

    def check_job(self, job):
        """All that is said of a job, against its file."""
        try:
            job.counts = self.stack.compare(job.path, PEOPLE, job.id, reports=REPORTS_MAX)
        except AssertionError as error:
            if not self.stack.job(job.id):
                raise AssertionError("its upload became no job") from error
            lost, doubled = lost_and_doubled(job.path, PEOPLE, (line.decode() for line in self.stack.delivered(job.id)))
            self.did["lost"] += lost
            self.did["doubled"] += doubled
            raise AssertionError(f"{error} ({lost} lost, {doubled} doubled)") from error
        self.did["claims repeated"] += sum(item["f"] - 1 for item in self.stack.batches(job.id).values())

    def check_no_other_jobs(self):
        """Each upload is one job."""
        keys = {job.made["key"]: [job.id] for job in self.jobs}
        found = {key: ids for key, ids in self.stack.jobs_by_key().items() if f"/{self.stack.folder}/" in key}
        equal(keys, {key: ids for key, ids in found.items() if key in keys}, "jobs of the uploads")

    def explain_dead_letters(self):
        """A message may be given up after five deliveries that were all killed, if its job is over all
        the same: what it was for was done by others."""
        unexplained = []
        for queue, body in self.stack.take_dead_letters():
            self.did["dead letters"] += 1
            item = self.stack.job(job_of_letter(self.stack, body))
            if item is None or item["st"] not in TERMINAL or "ob" in item:
                unexplained.append(f"{queue}: {body[:300]}")
        equal([], unexplained, "dead letters whose job is not over")

    def log_lines(self, since):
        """All lines that this run logged: the functions', the local AWS's, the proxy's."""
        lines = [line for function in self.stack.function_names for line in self.stack.logs(function, since)]
        for path in sorted(self.directory.glob("*.log")):
            lines += path.read_text(encoding="utf-8", errors="replace").splitlines()
        return lines

    def invocations_killed(self):
        """How many functions died at work, as the local AWS counts them: a victim may be idle."""
        log = (self.directory / "server.log").read_text(encoding="utf-8", errors="replace")
        return log.count(": Runtime exited before returning a response")

    def prove_that_checks_fail(self, lines):
        """Spoils the results of one job, one way after the other, and sees each found."""
        job = max(self.jobs, key=lambda job: (job.counts["accepted"] > 50, -job.rows))
        part = self.stack.objects(job.id, "output/")[0]
        folder = f"jobs/{job.id}/"
        text = self.stack.read(part)
        rows = text.splitlines(keepends=True)
        summary = self.stack.read(folder + "summary.json")
        rejects = self.stack.read(folder + "rejects.csv")
        spoiled = {
            "a lost row": (part, b"".join(rows[1:])),
            "a doubled row": (part, rows[0] + text),
            "a changed row": (part, text.replace(PLANTED.encode(), b"changed", 1)),
            "another summary": (folder + "summary.json", summary.replace(b'"accepted": ', b'"accepted": 1', 1)),
            "a doubled reject": (folder + "rejects.csv", rejects + rejects.splitlines(keepends=True)[-1]),
        }
        proven = []
        before = collections.Counter(self.did)
        for what, (key, content) in spoiled.items():
            original = self.stack.read(key)
            version = self.stack.write(key, content)
            must_fail(what, lambda: self.check_job(job))
            self.stack.forget(key, version)
            equal(original, self.stack.read(key), "the result, unspoiled")
            proven.append(what)
        equal((2, 2), (self.did["lost"] - before["lost"], self.did["doubled"] - before["doubled"]), "rows spoiled")
        self.check_job(job)
        self.did = before
        for what, value in hidden().items():
            must_fail(f"{what} in a log", lambda: check_quiet([*lines, f"INFO {value}"]))
            proven.append(f"{what} in a log")
        return proven

    # ---- Report --------------------------------------------------------------------------

    def report(self, faults, seconds, log_lines, proven):
        done = [job for job in self.jobs if job.counts]
        slowest = max((job.took / job.bound for job in self.jobs if job.took), default=0)
        return {
            "ok": not self.violations,
            "seed": self.seed,
            "seconds": round(seconds, 1),
            "jobs": len(self.jobs),
            "jobs_right": len(done),
            **{name: sum(job.counts[name] for job in done) for name in ("records", "accepted", "rejected", "skipped")},
            "lost": self.did["lost"],
            "doubled": self.did["doubled"],
            "slowest_of_its_bound": round(slowest, 2),
            "calls": faults.calls,
            "faults": faults.by_kind,
            "kills": {name: self.did[f"{name} kills"] for name in self.stack.function_names},
            "invocations_killed": self.did["invocations killed"],
            "stops": self.did["stops"],
            "zombies": self.did["zombies"],
            "events_repeated": self.did["events repeated"],
            "claims_repeated": self.did["claims repeated"],
            "uploads_put_back": self.did["uploads put back"],
            "dead_letters_explained": self.did["dead letters"],
            "log_lines_searched": log_lines,
            "checks_proven_to_fail": proven,
            "violations": self.violations,
        }
