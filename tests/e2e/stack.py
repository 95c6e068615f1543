"""The stack on the local AWS, as the tests see and touch it."""

import hashlib
import io
import json
import os
import re
import subprocess
import time
from pathlib import Path
from urllib.parse import quote_plus

import boto3
from botocore.config import Config

from e2e.expected import check, check_manifest, compare, equal

EVENTS = Path(__file__).resolve().parents[2] / "events"
COUNTS = ("records", "accepted", "rejected", "skipped")
TERMINAL = ("COMPLETED", "FAILED", "ABORTED")
# The functions that work on jobs; the sweeper only wakes them.
JOB_FUNCTIONS = ("orchestrator", "worker")


def variable(name):
    value = os.environ.get(name)
    if not value:
        raise SystemExit(f"e2e: {name} is not set; these tests are run by: ./dev test")
    return value


def until(what, seconds, look, every=0.1):
    """Looks until there is something to see, and returns it."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not so within {seconds} s")
        time.sleep(every)


def plain(item):
    """An item of the table without DynamoDB's types."""
    def value(typed):
        ((kind, content),) = typed.items()
        return int(content) if kind == "N" else content
    return {name: value(typed) for name, typed in item.items()}


class Stack:
    def __init__(self):
        config = Config(max_pool_connections=16, retries={"max_attempts": 5})
        self.s3, self.sqs, self.table_api, self.functions, self.logs_api = (
            boto3.client(service, config=config)
            for service in ("s3", "sqs", "dynamodb", "lambda", "logs")
        )
        self.endpoint = variable("AWS_ENDPOINT_URL")
        self.table = variable("BATCHFLEET_TABLE")
        self.uploads = variable("BATCHFLEET_UPLOAD_BUCKET")
        self.results = variable("BATCHFLEET_RESULTS_BUCKET")
        self.function_names = {
            "orchestrator": variable("BATCHFLEET_ORCHESTRATOR_FUNCTION"),
            "worker": variable("BATCHFLEET_WORKER_FUNCTION"),
            "sweeper": variable("BATCHFLEET_SWEEPER_FUNCTION"),
        }
        # Where the functions call AWS.
        self.functions_endpoint = self.endpoint
        self.work_queue = variable("BATCHFLEET_WORK_QUEUE_URL")
        self.queues = {
            "work": self.work_queue,
            "prepare": variable("BATCHFLEET_PREPARE_QUEUE_URL"),
        }
        self.dead_letters = {
            "work": variable("BATCHFLEET_WORK_DEAD_LETTER_QUEUE_URL"),
            "prepare": variable("BATCHFLEET_PREPARE_DEAD_LETTER_QUEUE_URL"),
            "upload": variable("BATCHFLEET_UPLOAD_DEAD_LETTER_QUEUE_URL"),
        }
        # A folder of this run's own, because a stack that stays up may be tested again.
        self.folder = f"e2e-{time.time_ns():x}"
        # Jobs of the running test, for its report.
        self.jobs = []

    # ---- Uploads and jobs ----------------------------------------------------------------

    def define(self, name, text):
        self.s3.put_object(Bucket=self.uploads, Key=f"definitions/{name}.yaml", Body=text.encode())

    def key(self, definition, name):
        return f"incoming/{definition}/{self.folder}/{name}"

    def put(self, key, body):
        """Uploads an object; gives what the event says of it, the job's id among it."""
        size = len(body) if isinstance(body, bytes) else body.stat().st_size
        with io.BytesIO(body) if isinstance(body, bytes) else open(body, "rb") as content:
            answer = self.s3.put_object(Bucket=self.uploads, Key=key, Body=content)
        check("VersionId" in answer, "the upload bucket keeps no versions")
        version = answer["VersionId"]
        job = self.job_id(key, version)
        self.jobs.append(job)
        return {"key": key, "version": version, "etag": answer["ETag"].strip('"'), "size": size, "job": job}

    def send_event(self, made, wait=False):
        """Sends the event of an upload, as S3 does, once more. Gives the orchestrator's answer."""
        event = json.loads((EVENTS / "s3-put.json").read_text())
        (record,) = event["Records"]
        record["s3"]["bucket"].update(name=self.uploads, arn=f"arn:aws:s3:::{self.uploads}")
        record["s3"]["object"].update(
            key=quote_plus(made["key"], safe="/"), size=made["size"], eTag=made["etag"], versionId=made["version"]
        )
        return self.invoke_orchestrator(event, wait)

    def invoke_orchestrator(self, event, wait=False):
        answer = self.functions.invoke(
            FunctionName=self.function_names["orchestrator"],
            InvocationType="RequestResponse" if wait else "Event",
            Payload=json.dumps(event).encode(),
        )
        return answer["StatusCode"], answer.get("FunctionError")

    def job_id(self, key, version):
        digest = hashlib.sha256(b"batchfleet job v1")
        for part in (self.uploads, key, "version", version, "", "0"):
            digest.update(len(part.encode()).to_bytes(8, "big") + part.encode())
        return digest.hexdigest()[:32]

    def item(self, pk, sk):
        key = {"pk": {"S": pk}, "sk": {"S": sk}}
        answer = self.table_api.get_item(TableName=self.table, Key=key, ConsistentRead=True)
        return plain(answer["Item"]) if "Item" in answer else None

    def job(self, job):
        return self.item(f"J#{job}", "job")

    def batches(self, job, shard=0):
        """Claimed batches of a shard by slot."""
        pages = self.table_api.get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues={
                ":pk": {"S": f"S#{job}#{shard:06}"},
                ":prefix": {"S": "batch#"},
            },
            ConsistentRead=True,
        )
        items = (plain(item) for page in pages for item in page["Items"])
        return {int(item["sk"].split("#")[1]): item for item in items}

    def jobs_by_key(self):
        """Every job in the table, by the key of its source."""
        pages = self.table_api.get_paginator("scan").paginate(
            TableName=self.table,
            FilterExpression="sk = :job",
            ExpressionAttributeValues={":job": {"S": "job"}},
            ConsistentRead=True,
        )
        found = {}
        for item in (plain(item) for page in pages for item in page["Items"]):
            found.setdefault(json.loads(item["src"])["key"], []).append(item["pk"][2:])
        return found

    def jobs_of_key(self, key):
        return self.jobs_by_key().get(key, [])

    def is_over(self, job):
        item = self.job(job)
        return item if item and item["st"] in TERMINAL and "ob" not in item else None

    def wait(self, job, seconds=60):
        return until(f"job {job} is over and reported", seconds, lambda: self.is_over(job))

    def objects(self, job, folder=""):
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.results, Prefix=f"jobs/{job}/{folder}"
        )
        return sorted(item["Key"] for page in pages for item in page.get("Contents", []))

    def versions(self, job):
        """How many versions of each object a job has written."""
        pages = self.s3.get_paginator("list_object_versions").paginate(
            Bucket=self.results, Prefix=f"jobs/{job}/"
        )
        found = {}
        for page in pages:
            check(not page.get("DeleteMarkers"), f"job {job} deleted results")
            for version in page.get("Versions", []):
                found.setdefault(version["Key"], []).append(version["ETag"])
        return found

    def read(self, key):
        return self.s3.get_object(Bucket=self.results, Key=key)["Body"].read()

    def write(self, key, body):
        """Writes over a result, and gives the new version."""
        return self.s3.put_object(Bucket=self.results, Key=key, Body=body)["VersionId"]

    def forget(self, key, version):
        """Removes a version, so that the one before it is the result again."""
        self.s3.delete_object(Bucket=self.results, Key=key, VersionId=version)

    def summary(self, job):
        return json.loads(self.read(f"jobs/{job}/summary.json"))

    def delivered(self, job):
        """Every delivered line, in the order of the parts."""
        for key in self.objects(job, "output/"):
            check(re.search(r"/part-[0-9]{9}\.jsonl$", key), f"a stranger among the parts: {key}")
            body = self.read(key)
            check(body.endswith(b"\n"), f"{key} ends within a line")
            yield from body[:-1].split(b"\n")

    def compare(self, path, fields, job, reports=1):
        """Every row of an ended job against its file, and all that is said of it elsewhere."""
        lines = (line.decode() for line in self.delivered(job))
        rejects = io.StringIO(self.read(f"jobs/{job}/rejects.csv").decode(), newline="")
        objects = self.read(f"jobs/{job}/rejects.jsonl").decode().split("\n")[:-1]
        counts = compare(path, fields, lines, rejects, objects)
        self.check_account(job, counts, reports)
        folder = f"jobs/{job}/"
        parts = [key.removeprefix(folder) for key in self.objects(job, "output/")]
        manifest = json.loads(self.read(folder + "manifest.json"))
        check_manifest(manifest, job, counts, parts, lambda name: self.read(folder + name))
        return counts

    def check_account(self, job, counts, reports=1):
        """The ledger in summary and table, one result and no more."""
        item, summary = self.job(job), self.summary(job)
        equal("COMPLETED", item["st"], f"status of job {job} in the table")
        check("ob" not in item, f"job {job} still owes its report")
        equal(job, summary["job"], "the job of the summary")
        equal(item["st"], summary["status"], "status in the summary")
        equal(counts, {name: summary[name] for name in COUNTS}, "counts of the summary")
        stored = dict(zip(COUNTS, (item[name] for name in ("rec", "acc", "rej", "skp"))))
        equal(counts, stored, "counts in the table")
        equal([], summary["failed_batches"], "batches given up")
        equal(
            counts["accepted"] + counts["rejected"] + counts["skipped"],
            summary["records"],
            "the ledger: accepted + rejected + skipped",
        )
        reported = ("summary.json", "rejects.csv", "rejects.jsonl", "manifest.json")
        names = [f"jobs/{job}/{name}" for name in reported]
        several = {
            key: etags
            for key, etags in self.versions(job).items()
            # After a crash a report may be written twice, but never another one; a part never is.
            if len(etags) > (reports if key in names else 1) or len(set(etags)) > 1
        }
        equal({}, several, "results written more than once")
        check(names[0] in self.objects(job), f"job {job} has no summary.json")

    # ---- Queues --------------------------------------------------------------------------

    def depth(self, url):
        names = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ]
        found = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    def depths(self):
        found = {name: self.depth(url) for name, url in self.queues.items()}
        found.update((f"{name} dead letters", self.depth(url)) for name, url in self.dead_letters.items())
        return found

    def settle(self, seconds, dead_letters=False):
        """Waits until no message is left anywhere, but for dead letters if there may be some.
        Returns how long that took."""
        began = time.monotonic()
        quiet = 0
        while quiet < 3:
            quiet = quiet + 1 if not any(self.depth(url) for url in self.queues.values()) else 0
            if time.monotonic() - began > seconds:
                raise AssertionError(f"messages are left after {seconds} s: {self.depths()}")
            time.sleep(0.2)
        if not dead_letters:
            self.check_no_dead_letters()
        return time.monotonic() - began

    def check_no_dead_letters(self):
        found = {name: self.depth(url) for name, url in self.dead_letters.items()}
        equal({name: 0 for name in found}, found, "dead letters")

    def take_dead_letters(self, *names):
        """Removes all dead letters, or those of these queues, and gives their bodies."""
        bodies = []
        for name in names or self.dead_letters:
            url = self.dead_letters[name]
            while True:
                got = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages")
                if not got:
                    break
                for message in got:
                    bodies.append((name, message["Body"]))
                    self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return bodies

    # ---- Functions: where they call, their logs and processes ----------------------------

    def variables(self, function):
        """The environment of a function."""
        name = self.function_names[function]
        return self.functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]

    def point_functions_at(self, endpoint):
        """Lets all functions call AWS there. Ends their idle processes."""
        for function, name in self.function_names.items():
            variables = {**self.variables(function), "AWS_ENDPOINT_URL": endpoint}
            self.functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
            self.functions.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        self.functions_endpoint = endpoint

    def logs(self, function, since=0):
        pages = self.logs_api.get_paginator("filter_log_events").paginate(
            logGroupName=f"/aws/lambda/{self.function_names[function]}", startTime=since
        )
        return [event["message"] for page in pages for event in page["events"]]

    def log_lines(self, function, since=0):
        """What the function itself logged, decoded."""
        return [json.loads(line) for line in self.logs(function, since) if line.startswith("{")]

    def processes(self, function):
        """Ids of this local AWS's processes that run a function, told by what they were given."""
        listed = subprocess.run(
            ["ps", "axeww", "-o", "pid=,command="],
            capture_output=True, text=True, errors="replace", check=True,
        )
        wanted = (
            f" AWS_LAMBDA_FUNCTION_NAME={self.function_names[function]} ",
            f" AWS_ENDPOINT_URL={self.functions_endpoint} ",
        )
        found = []
        for line in listed.stdout.splitlines():
            pid, _, command = line.strip().partition(" ")
            if "/bootstrap " in command and all(text in command + " " for text in wanted):
                found.append(int(pid))
        return found
