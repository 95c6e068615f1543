#!/usr/bin/env python3
"""Real faults on the real path; run by ./dev chaos.

    chaos.py [--jobs N] [--minutes M] [--seed S] [--json]   jobs on a local AWS that fails
    chaos.py --recovery [--kills N] [--json]                how soon a killed worker is replaced
    chaos.py --local [--runs N] [--seed S] [--json]         killed runs in one process

Exit code 0 only if all holds. With --json stdout is exactly one JSON object. It takes the stack and
the tools from the environment, like e2e.py; with --parameters it only says how the stack has to be
deployed for these arguments, and nothing where they need none.
"""

import argparse
import json
import random
import signal
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from e2e.chaos import Chaos  # noqa: E402
from e2e.command import Files  # noqa: E402
from e2e.faults import table  # noqa: E402
from e2e.killed_runs import KilledRuns  # noqa: E402
from e2e.recovery import recovery  # noqa: E402
from e2e.stack import Stack  # noqa: E402

# Short limits and leases, so that what must be waited for comes soon; the recovery is that of a lease
# of 10 s, in functions that last longer than one.
CHAOS = "WorkerTimeoutSeconds=10 OrchestratorTimeoutSeconds=10 LeaseMs=3000"
RECOVERY = "WorkerTimeoutSeconds=60 OrchestratorTimeoutSeconds=60 LeaseMs=10000"


def whole(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return value


def parsed():
    parser = argparse.ArgumentParser(prog="./dev chaos", allow_abbrev=False)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--local", action="store_true", help="kill runs in one process instead")
    mode.add_argument("--recovery", action="store_true", help="measure the recovery time instead")
    parser.add_argument("--jobs", type=whole, default=50, help="jobs at least (50)")
    parser.add_argument("--minutes", type=float, default=10.0, help="minutes at least (10)")
    parser.add_argument("--kills", type=whole, default=20, help="kills of --recovery (20)")
    parser.add_argument("--runs", type=whole, default=100, help="runs of --local (100)")
    parser.add_argument("--seed", type=whole, help="of what is drawn at random")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--parameters", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def shown(report):
    """The report as a table."""
    lines = []
    for name, value in report.items():
        if name == "faults":
            lines += ["", *table(value), ""]
            continue
        if isinstance(value, dict):
            value = ", ".join(f"{key} {number}" for key, number in value.items())
        elif isinstance(value, list):
            value = "; ".join(map(str, value)) or "none"
        elif isinstance(value, int) and not isinstance(value, bool) and name != "seed":
            value = f"{value:,}"
        lines.append(f"{name.replace('_', ' '):28}{value}")
    return "\n".join(lines)


def run(arguments, work):
    files = Files(work)
    if arguments.local:
        return KilledRuns(files, arguments.seed).run(arguments.runs)
    stack = Stack()
    if arguments.recovery:
        return recovery(stack, files, arguments.kills)
    return Chaos(stack, files, arguments.jobs, arguments.minutes, arguments.seed).run()


def main():
    arguments = parsed()
    if arguments.parameters:
        print("" if arguments.local else RECOVERY if arguments.recovery else CHAOS)
        return 0
    arguments.seed = arguments.seed or random.randrange(1, 1_000_000)
    print(f"seed {arguments.seed}", file=sys.stderr)
    # So that whoever ends it gets all that it froze going again.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="batchfleet-chaos-") as work:
        report = run(arguments, work)
    print(json.dumps(report) if arguments.json else shown(report))
    return 0 if report["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
