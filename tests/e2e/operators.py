"""What operators do to a whole stack: they name it, look at what was given up, and mend it."""

import contextlib
import json
import os
import time

from e2e.cases import say, test
from e2e.command import EXAMPLES, command, json_of
from e2e.expected import PEOPLE, check, equal
from e2e.stack import COUNTS, until, variable


def bare():
    """An environment that says where AWS is, and nothing of the stack."""
    return {name: value for name, value in os.environ.items() if not name.startswith("BATCHFLEET_")}


def named(*arguments, exit_code=0):
    """The JSON object of a command that is told the stack's name alone."""
    return json_of([*arguments, "--stack", variable("BATCHFLEET_STACK")], exit_code, bare())


def refused(exit_code, *arguments, **environment):
    """What a command that does nothing says."""
    done = command(*arguments, environment={**bare(), **environment})
    said = done.stderr.decode()
    equal((exit_code, b""), (done.returncode, done.stdout), f"exit code and output of {arguments} ({said})")
    check(said.count("\n") == 1 and "panicked" not in said, f"not one sentence: {said!r}")
    return said


@test
def a_stack_is_found_by_its_name(stack, files):
    """Every command finds table, buckets and queues by the stack's name; explicit names go before it;
    a name that is none, and a table that is not ours, are told."""
    path = EXAMPLES / "people.csv"
    summary = named("upload", path, "--definition", "people", "--timeout-seconds", 60)
    job = summary["job"]
    stack.jobs.append(job)
    stack.compare(path, PEOPLE, job)
    for arguments in (["status", job], ["watch", job], ["explain", job], ["rejects", job], ["dlq"]):
        found = named(*arguments)
        check(arguments == ["dlq"] or found["job"] == job, f"{arguments}: {found}")
    done = command("jobs", "--json", environment={**bare(), "BATCHFLEET_STACK": variable("BATCHFLEET_STACK")})
    equal((0, True), (done.returncode, isinstance(json.loads(done.stdout), list)), "jobs by a variable")

    said = refused(2, "status", job, "--stack", "nowhere")
    check("there is no stack nowhere here (there is no table nowhere-jobs)" in said, said)
    said = refused(2, "status", job, "--stack", "no_name")
    check('"no_name" is no name of a stack' in said, said)
    stack.table_api.create_table(
        TableName="foreign-jobs",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    try:
        said = refused(2, "status", job, "--stack", "foreign")
        check("the table foreign-jobs has no tags that name the parts of a stack" in said, said)
    finally:
        stack.table_api.delete_table(TableName="foreign-jobs")
    said = refused(2, "dlq")
    check("name the stack by --stack" in said, said)
    said = refused(2, "status", job, "--table", stack.table)
    check("--results-bucket (or BATCHFLEET_RESULTS_BUCKET)" in said, said)
    # A stack that is asked for is not mixed with the variables of another; a flag goes before both.
    done = command("status", job, "--stack", variable("BATCHFLEET_STACK"), environment={**bare(), "BATCHFLEET_TABLE": "other"})
    equal(0, done.returncode, f"exit code beside another stack's variable ({done.stderr})")
    refused(1, "status", job, "--stack", variable("BATCHFLEET_STACK"), "--table", "other")


@contextlib.contextmanager
def broken(stack, function):
    """A function fails at whatever it is invoked for: its table is not there."""
    was = stack.variables(function)
    set_variables(stack, function, {**was, "BATCHFLEET_TABLE": "nowhere-jobs"})
    try:
        yield
    finally:
        set_variables(stack, function, was)


def set_variables(stack, function, variables):
    name = stack.function_names[function]
    stack.functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
    stack.functions.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})


@contextlib.contextmanager
def impatient(stack, queue, seconds):
    """A queue delivers again soon, so that what fails is soon given up."""
    url = stack.queues[queue]
    was = stack.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    stack.sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(seconds)})
    try:
        yield
    finally:
        stack.sqs.set_queue_attributes(QueueUrl=url, Attributes=was)


def letters(found, queue):
    (one,) = [one for one in found["queues"] if one["queue"] == queue]
    return one["letters"]


def asked(found, queue):
    """Of which jobs there are which messages."""
    return sorted((ask["kind"], ask["job"]) for letter in letters(found, queue) for ask in letter["asks"])


@test
def dead_messages_are_explained_and_put_back(stack, files):
    """Messages of a job that five deliveries failed on are listed, explained and put back, and the
    job is done; what does not read is named and stays."""
    stack.settle(75)
    path, _ = files.people(20_000, 21)
    with broken(stack, "worker"), impatient(stack, "work", 2):
        job = stack.put(stack.key("people", "given up.csv"), path)["job"]
        until("the job is planned", 30, lambda: (stack.job(job) or {}).get("st") == "PROCESSING")
        began = time.monotonic()
        dead = stack.dead_letters["work"]
        until("its messages are dead", 90, lambda: stack.depth(dead) and not stack.depth(stack.work_queue), every=0.5)
        say(f"given up after {time.monotonic() - began:.1f} s, {stack.depth(dead)} messages")
    stack.sqs.send_message(QueueUrl=dead, MessageBody="zqxjkvwy is no message")

    found = named("dlq")
    kinds = asked(found, "work")
    equal({job}, {one for _, one in kinds}, "jobs among the dead letters")
    check(("work", job) in kinds, f"no work message among {kinds}")
    equal(kinds, asked(named("dlq"), "work"), "the dead letters, looked at again")
    (strange,) = [letter for letter in letters(found, "work") if letter["fault"]]
    equal("the message body is not a batchfleet message", strange["fault"], "its fault")
    shown = command("dlq", "--stack", variable("BATCHFLEET_STACK"), environment=bare())
    check(job.encode() in shown.stdout and b"zqxjkvwy" not in shown.stdout + shown.stderr, f"shown: {shown}")

    explained = named("explain", job)
    messages = len(kinds)
    equal(messages, explained["dead_letters"]["messages"], "dead letters of the job")
    tail = f"among the dead letters; batchfleet dlq drain --stack {variable('BATCHFLEET_STACK')}"
    check(not explained["moving"] and explained["explanation"].endswith(tail), explained["explanation"])
    say(explained["explanation"])

    drained = named("dlq", "drain", exit_code=1)
    equal((messages, 1), (drained["put_back"], drained["stay"]), "put back, and staying")
    equal([strange["id"]], [letter["id"] for letter in letters(drained, "work")], "what stays")
    stack.wait(job, 60)
    stack.compare(path, PEOPLE, job)
    (left,) = stack.take_dead_letters()
    equal("work", left[0], "the queue of what stayed")
    equal({"put_back": 0, "stay": 0}, {name: named("dlq", "drain")[name] for name in ("put_back", "stay")}, "then")
    equal("the job is over: COMPLETED", named("explain", job)["explanation"], "the explanation")
    stack.settle(75)


@test
def a_dead_upload_is_explained_and_put_back(stack, files):
    """An upload whose event the orchestrator failed on three times is explained although there is no
    job, and once put back becomes the job that it was to be; one that does not read stays."""
    path = EXAMPLES / "people.csv"
    dead = stack.dead_letters["upload"]
    with broken(stack, "orchestrator"):
        made = stack.put(stack.key("people", "dead upload.csv"), path)
        until("the event is dead", 60, lambda: stack.depth(dead) == 1, every=0.5)
    job = made["job"]
    check(stack.job(job) is None, "there is a job already")
    said = refused(2, "explain", job, "--stack", variable("BATCHFLEET_STACK"))
    check(f"there is no job {job} here; 1 message of the job (sent " in said, said)
    (letter,) = letters(named("dlq"), "upload")
    equal([{"kind": "prepare", "job": job, "file": f"s3://{stack.uploads}/{made['key']}"}], letter["asks"], "the letter")
    equal(1, named("dlq", "drain")["put_back"], "put back")
    stack.wait(job, 60)
    stack.compare(path, PEOPLE, job)

    stack.functions.invoke(
        FunctionName=stack.function_names["orchestrator"],
        InvocationType="Event",
        Payload=json.dumps({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {}}]}),
    )
    until("it is dead", 60, lambda: stack.depth(dead) == 1, every=0.5)
    drained = named("dlq", "drain", exit_code=1)
    equal((0, 1), (drained["put_back"], drained["stay"]), "put back, and staying")
    (letter,) = letters(drained, "upload")
    check(letter["fault"].startswith("the record is not as S3 documents it: "), letter["fault"])
    equal(1, len(stack.take_dead_letters()), "what stayed")
    stack.settle(75)


DEFINITION = """
name: {name}
fields:
  - {{ name: id, type: integer, required: true }}
  - {{ name: amount, type: {amount} }}
batches: {{ records: 300 }}
"""


@test
def rejects_are_redriven_under_the_mended_definition(stack, files):
    """`redrive --rejected` of a stack's job works on its rejects alone, under the definition that is
    there now: every row is delivered once, by one attempt or the other."""
    name = "e2e-redriven"
    stack.define(name, DEFINITION.format(name=name, amount="integer"))
    amounts = [f"{row}.5" if row % 7 == 3 else str(row) for row in range(2_000)]
    text = "id,amount\n" + "".join(f"{row},{amount}\n" for row, amount in enumerate(amounts))
    job = stack.put(stack.key(name, "redriven.csv"), text.encode())["job"]
    stack.wait(job)
    halves = [row for row in range(2_000) if row % 7 == 3]

    def account(job, counts):
        equal(counts, [stack.summary(job)[name] for name in COUNTS], f"counts of job {job}")
        return [json.loads(line) for line in stack.delivered(job)]

    first = account(job, [2_000, 2_000 - len(halves), len(halves), 0])
    equal([{"id": row, "amount": row} for row in range(2_000) if row % 7 != 3], first, "rows of the first attempt")

    stack.define(name, DEFINITION.format(name=name, amount="number"))
    redriven = named("redrive", job, "--rejected")
    equal(job, redriven["of"], "the job that is redriven")
    second = redriven["job"]
    stack.jobs.append(second)
    stack.wait(second)
    rows = account(second, [2_000, len(halves), 0, 2_000 - len(halves)])
    equal([{"id": row, "amount": row + 0.5} for row in halves], rows, "rows of the second attempt")
    equal({"of": job, "what": "rejected"}, named("status", second)["redrive"], "what its status says of it")
    shown = command("status", second, "--stack", variable("BATCHFLEET_STACK"), environment=bare()).stdout.decode()
    check(f"redrives   the rejected rows of job {job}\n" in shown, shown)
    # The first attempt is as it was.
    equal(first, [json.loads(line) for line in stack.delivered(job)], "rows of the first attempt, afterwards")
