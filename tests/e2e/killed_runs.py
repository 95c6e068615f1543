"""`batchfleet run` in one process, killed and frozen at random moments, and started again.

What must hold: whatever happened to it before, the run that ends reports the same counts, and leaves
the same delivered rows and rejects, as one that nobody disturbed.
"""

import collections
import json
import random
import shutil
import signal
import subprocess
import sys
import time

from e2e.command import EXAMPLES, compare_local
from e2e.expected import PEOPLE, check, equal
from e2e.stack import COUNTS, variable

ROWS = 150_000
# Small batches, so that a kill finds many states.
BATCH_RECORDS = 1_500
FROZEN_SHARE, FROZEN_SECONDS = 0.3, (0.05, 0.6)
STARTS_MAX, RUN_SECONDS_MAX = 50, 60


class KilledRuns:
    def __init__(self, files, seed):
        self.files, self.draw = files, random.Random(seed)
        self.did = collections.Counter()
        self.path, _ = files.people(ROWS, seed)
        text = (EXAMPLES / "people.yaml").read_text()
        self.definition = files.write("people.yaml", f"{text}batches: {{ records: {BATCH_RECORDS} }}\n")

    def run(self, runs):
        """Does so many runs, and returns the report."""
        began = time.monotonic()
        out = self.files.work / "undisturbed"
        process = self.start(out)
        undisturbed, seconds = self.result(process, out), time.monotonic() - began
        compare_local(self.path, PEOPLE, undisturbed["output"])
        proven = self.prove_that_checks_fail(undisturbed)
        violations = []
        for number in range(1, runs + 1):
            out = self.files.work / f"run-{number}"
            try:
                self.check_same(undisturbed, self.disturb(out, seconds))
            except AssertionError as error:
                violations.append(f"run {number}: {error}")
                print(f"VIOLATION: {violations[-1]}; its folder is kept", file=sys.stderr)
            else:
                shutil.rmtree(out)
            if number % 10 == 0:
                print(f"{number} runs, {self.did['kills']} kills, {self.did['stops']} stops", file=sys.stderr)
        return {
            "ok": not violations,
            "seconds": round(time.monotonic() - began, 1),
            "runs": runs,
            "rows_of_each": ROWS,
            "undisturbed_seconds": round(seconds, 2),
            "kills": self.did["kills"],
            "kills_after_progress": self.did["kills after progress"],
            "stops": self.did["stops"],
            "checks_proven_to_fail": proven,
            "violations": violations,
        }

    def start(self, out):
        arguments = [self.path, "--definition", self.definition, "--out", out, "--json"]
        return subprocess.Popen(
            [variable("BATCHFLEET_CLI"), "run", *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )

    def disturb(self, out, seconds):
        """One run: killed at least once, frozen at times, until it ends by itself."""
        killed = False
        for _ in range(STARTS_MAX):
            process = self.start(out)
            try:
                ended = self.ends_by_itself(process, seconds)
                if ended and killed:
                    return self.result(process, out)
            except BaseException:
                process.kill()
                raise
            process.communicate()
            if ended:
                shutil.rmtree(out)  # It was too fast to count as a killed one.
                continue
            killed = True
            self.did["kills"] += 1
            self.did["kills after progress"] += any(out.glob("*/output/*"))
        raise AssertionError(f"not over after {STARTS_MAX} starts")

    def ends_by_itself(self, process, seconds):
        """Freezes and kills a run at random moments. Whether it ended before it was killed."""
        while True:
            try:
                process.wait(self.draw.uniform(0, seconds))
                return True
            except subprocess.TimeoutExpired:
                pass
            if self.draw.random() >= FROZEN_SHARE:
                process.kill()
                return process.wait() != -signal.SIGKILL
            process.send_signal(signal.SIGSTOP)
            self.did["stops"] += 1
            time.sleep(self.draw.uniform(*FROZEN_SECONDS))
            process.send_signal(signal.SIGCONT)

    def result(self, process, out):
        """What a run that ended says, and what it left."""
        try:
            text, said = process.communicate(timeout=RUN_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise AssertionError(f"not over after {RUN_SECONDS_MAX} s") from None
        equal(0, process.returncode, f"exit code ({said.decode(errors='replace')})")
        output = json.loads(text)
        (folder,) = (path for path in out.iterdir() if path.is_dir())
        return {"output": output, "folder": folder}

    def check_same(self, undisturbed, result):
        """Counts, rows and rejects of a run against those of the undisturbed one."""
        one, other = undisturbed["output"], result["output"]
        equal(one["status"], other["status"], "status")
        equal({name: one[name] for name in COUNTS}, {name: other[name] for name in COUNTS}, "counts")
        summaries = [json.loads((each["folder"] / "summary.json").read_text()) for each in (undisturbed, result)]
        equal(*({name: summary[name] for name in COUNTS} for summary in summaries), "counts of the summary")
        wanted, found = (parts(each["folder"] / "output") for each in (undisturbed, result))
        equal(list(wanted), list(found), "names of the parts")
        for name, rows in wanted.items():
            check(rows == found[name], lambda: difference(name, rows, found[name]))
        rejects = [(each["folder"] / "rejects.csv").read_bytes() for each in (undisturbed, result)]
        check(rejects[0] == rejects[1], "rejects.csv differs")

    def prove_that_checks_fail(self, undisturbed):
        """Spoils a copy of the undisturbed run, one way after the other, and sees each found."""
        spoil = {
            "a lost row": ("output", lambda text: text[text.index(b"\n") + 1:]),
            "a doubled row": ("output", lambda text: text[:text.index(b"\n") + 1] + text),
            "a changed row": ("output", lambda text: text.replace(b"user", b"resu", 1)),
            "a lost reject": ("rejects.csv", lambda text: text[:text.rindex(b"\n", 0, -1) + 1]),
            "a wrong count": ("summary.json", lambda text: text.replace(b'"accepted": ', b'"accepted": 1', 1)),
        }
        copy = self.files.work / "spoiled"
        for what, (name, change) in spoil.items():
            shutil.copytree(undisturbed["folder"], copy)
            path = copy / name if name != "output" else next(iter(sorted((copy / name).iterdir())))
            path.write_bytes(change(path.read_bytes()))
            try:
                self.check_same(undisturbed, {"output": undisturbed["output"], "folder": copy})
            except AssertionError:
                shutil.rmtree(copy)
            else:
                raise AssertionError(f"the checks did not find {what}")
        return list(spoil)


def parts(folder):
    """The delivered rows, by part."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def difference(name, wanted, found):
    rows, others = (collections.Counter(text.splitlines()) for text in (wanted, found))
    lost, doubled = (sum(left.values()) for left in (rows - others, others - rows))
    return f"{name} differs: {lost} rows lost, {doubled} doubled or changed"
