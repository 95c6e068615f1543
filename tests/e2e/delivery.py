"""Delivery into DynamoDB tables. The stack may write to tables whose names begin with e2e-."""

from e2e.cases import say, test
from e2e.command import json_of
from e2e.expected import check, equal
from e2e.stack import plain

DEFINITION = """
name: {table}
fields:
  - {{ name: id, type: integer, required: true }}
  - {{ name: name }}
  - {{ name: score, type: number }}
batches: {{ records: 500 }}
destination: {{ type: dynamodb, table: {table}, key: [id] }}
"""


def make_table(stack, name):
    stack.table_api.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "N"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    stack.table_api.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 20})


def rows_of(count):
    """The text of a file, the items that must come of it, and the records that are rejected."""
    lines, items, rejected = ["id,name,score"], {}, []
    for record in range(count):
        if record % 100 == 7:
            lines.append(f"{record},no number,high")
            rejected.append(record)
            continue
        name = "" if record % 50 == 1 else f"Zoë {record}"
        score = "" if record % 3 == 0 else f"{record}.5"
        lines.append(f"{record},{name},{score}")
        items[record] = {"id": record, "name": name, **({"score": record + 0.5} if score else {})}
    # Two rows with the key of one that is beside them, in the same batch: the last of them stays.
    lines += [f"{count - 1},first,1", f"{count - 1},last,2.5"]
    items[count - 1] = {"id": count - 1, "name": "last", "score": 2.5}
    return "\n".join(lines) + "\n", items, rejected


def items_of(stack, table):
    pages = stack.table_api.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    found = {}
    for item in (item for page in pages for item in page["Items"]):
        score = item.pop("score", None)
        item = plain(item)
        found[item["id"]] = {**item, **({"score": float(score["N"])} if score else {})}
    return found


def check_counts(count, rejected, summary):
    found = [summary[name] for name in ("records", "accepted", "rejected", "skipped")]
    equal([count + 2, count + 2 - len(rejected), len(rejected), 0], found, "counts")


@test
def rows_into_a_table(stack, files):
    """A definition with a table as destination: every good row is its item, typed; bad rows are
    rejects; nothing else is written."""
    table = f"{stack.folder}-people"
    make_table(stack, table)
    text, items, rejected = rows_of(2_950)
    stack.define(table, DEFINITION.format(table=table))
    job = stack.put(stack.key(table, "rows.csv"), text.encode())["job"]
    item = stack.wait(job, 60)
    summary = stack.summary(job)
    equal("COMPLETED", summary["status"], f"status ({summary['reason']})")
    check_counts(2_950, rejected, summary)
    equal(items, items_of(stack, table), "items of the table")
    equal([], stack.objects(job, "output/"), "parts beside the table")
    equal(f"dynamodb://{table}", summary["output"], "the output of the summary")
    say(f"job {(item['fin'] - item['cr']) / 1000:.1f} s, {summary['batches']} batches")


@test
def a_run_into_a_table(stack, files):
    """`batchfleet run` delivers to a table too, and to the same items when it is run again."""
    table = f"{stack.folder}-local"
    make_table(stack, table)
    text, items, rejected = rows_of(300)
    path = files.write("rows.csv", text)
    definition = files.write("table.yaml", DEFINITION.format(table=table))
    for more in ([], ["--again"]):
        output = json_of(["run", path, "--definition", definition, "--out", files.work / "table-out", *more])
        equal("COMPLETED", output["status"], "status")
        check_counts(300, rejected, output)
        equal(items, items_of(stack, table), "items of the table")


@test
def a_table_that_does_not_do(stack, files):
    """A table that is not there, has another key, or is not among the stack's destinations ends the
    job with that reason, before any row is delivered."""
    other_key = f"{stack.folder}-other"
    make_table(stack, other_key)
    for name, definition, expected in [
        ("missing", DEFINITION.format(table="e2e-missing"), "does not exist"),
        ("key", DEFINITION.format(table=other_key).replace("[id]", "[name]").replace("name: name", "name: name, required: true"), "has the key id (number)"),
        ("forbidden", DEFINITION.format(table="people"), "none of e2e-*"),
        ("own", DEFINITION.format(table=stack.table), "is the stack's own"),
    ]:
        stack.define(f"e2e-{name}", definition)
        job = stack.put(stack.key(f"e2e-{name}", "rows.csv"), rows_of(10)[0].encode())["job"]
        stack.wait(job, 60)
        reason = stack.summary(job)["reason"]
        equal("BAD_DESTINATION", reason["code"], f"reason of {name}")
        check(expected in reason["message"], f"{name}: {reason['message']}")
    equal({}, items_of(stack, other_key), "items of a table with another key")
