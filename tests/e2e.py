#!/usr/bin/env python3
"""The end-to-end tests: the whole stack on a local AWS, and the command. Run by ./dev test.

    e2e.py [NAME…]   runs all tests, or those named

It takes the stack from the environment, as `./dev env` prints it, and besides

    BATCHFLEET_CLI               the command, with the feature aws
    BATCHFLEET_GENERATE_PEOPLE   the generator of tests/src/people.rs
    BATCHFLEET_CACHE             where downloads are kept
    BATCHFLEET_LOCAL_AWS         the folder of the local AWS, with its logs
    BATCHFLEET_FAULTS_PYTHON     a Python with the packages of infra/requirements-faults.txt
"""

import json
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

# Their tests come behind those of e2e.cases.
import e2e.delivery  # noqa: E402, F401
import e2e.steering  # noqa: E402, F401
import e2e.operators  # noqa: E402, F401
import e2e.reliability  # noqa: E402, F401
from e2e.cases import TESTS  # noqa: E402
from e2e.command import Files, variable  # noqa: E402
from e2e.stack import Stack  # noqa: E402

LOG_LINES = 30
TEST_SECONDS_MAX = 240


def out_of_time(*_):
    raise AssertionError(f"the test is not over after {TEST_SECONDS_MAX} s")


def shortened(line):
    """A line of a function's log without what every line repeats; None if it says nothing here."""
    if line.startswith(("START ", "END ", "REPORT ")):
        return None
    try:
        fields = json.loads(line)
    except ValueError:
        return line.rstrip()
    if fields.pop("message", None) == "capacity used":
        return None
    message = json.loads(line)["message"]
    rest = (f"{name}={value}" for name, value in fields.items() if name not in ("target", "span", "spans"))
    return " ".join((message, *map(str, rest)))


def report(test, stack, error, since):
    """What must hold, what was found, and what the functions logged of it."""
    print(f"      must hold: {' '.join(test.__doc__.split())}")
    print("      found: " + "".join(traceback.format_exception_only(type(error), error)).strip())
    place = traceback.extract_tb(error.__traceback__)
    print("      at: " + ", ".join(f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in place[1:]))
    print(f"      jobs: {', '.join(stack.jobs) or 'none'}")
    try:
        for function in stack.function_names:
            lines = list(filter(None, map(shortened, stack.logs(function, since))))
            print(f"      the {function}'s last lines:")
            for line in lines[-LOG_LINES:]:
                print(f"        {line[:400]}")
        # They would fail the tests after this one, too.
        for queue, body in stack.take_dead_letters():
            print(f"      dead letter ({queue}): {body[:400]}")
    except Exception as unreadable:  # The report must not hide the failure.
        print(f"      no more is known: {unreadable}")


def main():
    by_name = {test.__name__: test for test in TESTS}
    unknown = [name for name in sys.argv[1:] if name not in by_name]
    if unknown:
        sys.exit(f"e2e: there is no test {', '.join(unknown)}. There are: {', '.join(by_name)}")
    chosen = [by_name[name] for name in sys.argv[1:]] or TESTS
    for name in ("BATCHFLEET_CLI", "BATCHFLEET_GENERATE_PEOPLE"):
        variable(name)
    signal.signal(signal.SIGALRM, out_of_time)
    stack = Stack()
    failed = 0
    for test in chosen:
        began, since = time.monotonic(), int(time.time() * 1000)
        stack.jobs = []
        print(f"      {test.__name__} …", flush=True)
        with tempfile.TemporaryDirectory(prefix="batchfleet-e2e-") as work:
            try:
                signal.alarm(TEST_SECONDS_MAX)
                test(stack, Files(work))
                signal.alarm(0)
                outcome = "ok   "
            except Exception as error:  # A failure of one test is no reason to leave out others.
                signal.alarm(0)
                failed += 1
                outcome = "FAIL "
                report(test, stack, error, since)
        print(f"{outcome} {test.__name__:32} {time.monotonic() - began:6.1f} s", flush=True)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
