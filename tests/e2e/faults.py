"""Faults of AWS: a proxy between the functions and the local AWS that fails some of their calls.

Whoever else uses the local AWS, such as the tests themselves, is not disturbed.
"""

import json
import subprocess
import urllib.request

from e2e.command import ROOT
from e2e.expected import check
from e2e.stack import variable

PROXY = ROOT / "infra" / "fault_proxy.py"
SERVICES = ("dynamodb", "s3", "sqs")
# Most items that one of our transactions has.
TRANSACTION_ITEMS_MAX = 6


def error(code, status, **fields):
    return {"error": {"code": code, "status": status, "message": "injected", "fields": fields}}


def conflict(items):
    """A transaction of so many items, cancelled because another has one of them."""
    reasons = [{"Code": "TransactionConflict", "Message": "injected"}] + [{"Code": "None"}] * (items - 1)
    return {
        "operation": "TransactWriteItems",
        "body": f"length(TransactItems) == `{items}`",
        **error("TransactionCanceledException", 400, CancellationReasons=reasons),
    }


# Kind of fault, service, share of its calls, and what microburst is to do.
FAULTS = [
    *(("transaction conflict", "dynamodb", 0.15, conflict(items)) for items in range(1, TRANSACTION_ITEMS_MAX + 1)),
    ("transaction conflict", "dynamodb", 0.02,
     {"operation": "UpdateItem", **error("TransactionConflictException", 400)}),
    ("throttled", "dynamodb", 0.03, error("ProvisionedThroughputExceededException", 400)),
    ("throttled", "dynamodb", 0.01, error("ThrottlingException", 400)),
    ("throttled", "s3", 0.04, error("SlowDown", 503)),
    ("throttled", "sqs", 0.04, error("RequestThrottled", 400)),
    ("status 500", "dynamodb", 0.02, error("InternalServerError", 500)),
    ("status 500", "s3", 0.02, error("InternalError", 500)),
    ("status 500", "sqs", 0.02, error("InternalError", 500)),
    *(("status 503", service, 0.02, error("ServiceUnavailable", 503)) for service in SERVICES),
    # Cut before the call went through, and after.
    *(("connection cut", service, 0.02, {"reset": True}) for service in SERVICES),
    *(("answer lost", service, 0.04, {"response": {"abort_bytes": 0}}) for service in SERVICES),
    ("answer broken off", "s3", 0.04, {"operation": "GetObject", "response": {"abort_frac": 0.5}}),
]


class Faults:
    """While it is entered, the functions' calls go through the proxy, and some fail."""

    def __init__(self, stack, seed, log):
        self.stack, self.seed, self.log = stack, seed, log
        self.by_kind, self.calls = {}, 0

    def __enter__(self):
        with open(self.log, "ab") as log:
            self.proxy = subprocess.Popen(
                [variable("BATCHFLEET_FAULTS_PYTHON"), PROXY, self.stack.endpoint, str(self.seed)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
            )
        self.address = self.proxy.stdout.readline().strip()
        check(self.address, f"{PROXY.name} did not start; see {self.log}")
        try:
            rules = [{"service": service, "probability": share, **what} for _, service, share, what in FAULTS]
            self.ask("rules", "POST", rules)
            self.stack.point_functions_at(self.address)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        try:
            self.end()
            self.stack.point_functions_at(self.stack.endpoint)
        finally:
            self.stop()

    def end(self):
        """From here on no call fails; the counts stay."""
        rules = self.ask("rules")
        if not rules:
            return
        for (kind, service, *_), rule in zip(FAULTS, rules):
            counts = self.by_kind.setdefault(kind, dict.fromkeys(SERVICES, 0))
            counts[service] += rule["fired_count"]
        self.calls = self.ask("health")["requests_seen"]
        self.ask("rules", "DELETE", [])

    def stop(self):
        """It ends with its input."""
        self.proxy.stdin.close()
        try:
            self.proxy.wait(10)
        except subprocess.TimeoutExpired:
            self.proxy.kill()
            self.proxy.wait()
        self.proxy.stdout.close()

    def ask(self, path, method="GET", body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.address}/_microburst/{path}", data, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)


def table(by_kind):
    """The counts, one line a kind."""
    lines = [f"{'fault':22}" + "".join(f"{service:>10}" for service in SERVICES) + f"{'all':>10}"]
    for kind, counts in by_kind.items():
        numbers = [*counts.values(), sum(counts.values())]
        lines.append(f"{kind:22}" + "".join(f"{number:10,}" for number in numbers))
    return lines

