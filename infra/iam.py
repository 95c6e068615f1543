#!/usr/bin/env python3
"""Checks that each function's role in infra/template.yaml grants just what its code calls, and that
what holds data is closed to everybody else.

    iam.py              compare, both ways
    iam.py --table      also print what each function needs and why
    iam.py --self-test  also plant mistakes, in the template and in the code, and see that each is found

What a function needs is read off the sources:

1. A function reaches the core's types and functions that its own sources name, those that these
   name, and so on. That is more than it runs, never less: a value of a type nobody names cannot be.
2. What is reached calls ports. A port is always held under its own name (`store: Arc<dyn Store>`,
   then `self.store.claim(…)`); whatever holds one otherwise is refused here, so no call is missed.
3. In shared/aws each method of a port leads to calls of the SDK, and each call to IAM actions.
   A call that no port leads to, and one that ACTIONS does not know, are refused.

What Lambda itself does in a role's name (event sources, failure destinations, logs) is read off
the template. Grants are compared one by one, as pairs of an action and a resource.
"""

import copy
import re
import sys
from pathlib import Path

from samcli.yamlhelper import yaml_parse

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "infra/template.yaml"
FUNCTIONS = {"Orchestrator": "orchestrator", "Worker": "worker", "Sweeper": "sweeper"}

# Each port, the name under which it is held, and the resource that its adapter works on. A queue's
# depends on the message.
PORTS = {
    "Store": ("store", "Table"),
    "Source": ("source", "UploadBucket/incoming/*"),
    "Definitions": ("definitions", "UploadBucket/definitions/*"),
    "Spool": ("spool", "ResultsBucket/spool/*"),
    "Results": ("results", "ResultsBucket/jobs/*"),
    "Queue": ("queue", None),
    "Sinks": ("sinks", "DestinationTables"),
    "Sink": ("sink", "DestinationTables"),
    # Records are looked up in destinations too: that is a grant of its own below.
    "Lookups": ("lookups", "LookupTables"),
    "Lookup": ("lookup", "LookupTables"),
}
# Those that nothing of AWS is behind.
OTHER_PORTS = {"Clock", "Ids", "Observer"}
PORT_NAMES = {name: port for port, (name, _) in PORTS.items()}
QUEUES = {"Work": "WorkQueue", "Watch": "WorkQueue", "Prepare": "PrepareQueue"}

# What each call of the SDK needs. S3 answers a read of a missing key with 404 only to those who may
# list the bucket. A transaction needs what its parts need; the parts are found by their builders.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions
ACTIONS = {
    "get_item": ["dynamodb:GetItem"],
    "put_item": ["dynamodb:PutItem"],
    "update_item": ["dynamodb:UpdateItem"],
    "delete_item": ["dynamodb:DeleteItem"],
    "query": ["dynamodb:Query"],
    "describe_table": ["dynamodb:DescribeTable"],
    "batch_get_item": ["dynamodb:BatchGetItem"],
    "batch_write_item": ["dynamodb:BatchWriteItem"],
    "transact_write_items": [],
    "Put": ["dynamodb:PutItem"],
    "Update": ["dynamodb:UpdateItem"],
    "Delete": ["dynamodb:DeleteItem"],
    "ConditionCheck": ["dynamodb:ConditionCheckItem"],
    "get_object": ["s3:GetObject", "s3:ListBucket"],
    "get_object of a version": ["s3:GetObjectVersion"],
    "list_objects_v2": ["s3:ListBucket"],
    "delete_objects": ["s3:DeleteObject"],
    "put_object": ["s3:PutObject"],
    "create_multipart_upload": ["s3:PutObject"],
    "upload_part": ["s3:PutObject"],
    "complete_multipart_upload": ["s3:PutObject"],
    "abort_multipart_upload": ["s3:AbortMultipartUpload"],
    "send_message": ["sqs:SendMessage"],
}
# Of the whole bucket, not of the objects in it.
BUCKET_ACTIONS = {"s3:ListBucket"}
# Called by the command, never by a function.
COMMANDS_ALONE = {"upload_file"}
# Likewise all of this: it is not read, and no other source may use it.
OPERATOR = "shared/aws/src/operator/"


class Unclear(Exception):
    """The sources or the template are written in a way that this check cannot judge."""


# ---- Reading Rust ------------------------------------------------------------------------


def read_sources():
    """The sources that matter, by their path from the root."""
    folders = ["shared/core/src", "shared/aws/src"]
    folders += [f"functions/{name}/src" for name in FUNCTIONS.values()]
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.rs"))]
    sources = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in paths}
    return {path: text for path, text in sources.items() if not path.startswith(OPERATOR)}


NOISE = re.compile(
    r"""//[^\n]* | /\*.*?\*/ | b?r(\#*)".*?"\1 | b?"(?:\\.|[^"\\])*" | b?'(?:\\.[^']*|[^'\\])'""",
    re.VERBOSE | re.DOTALL,
)


def code_of(text):
    """The text without comments, without what is in quotes, and without unit tests."""
    text = NOISE.sub(lambda noise: '""' if noise.group()[-1] == '"' else " ", text)
    while (test := re.search(r"#\[cfg\(test\)\]", text)) is not None:
        text = text[: test.start()] + text[end_of_item(text, test.end()) :]
    return text


def end_of_item(text, start):
    """Where the item that begins at `start` ends: at its semicolon or its closing brace."""
    depth = 0
    for at in range(start, len(text)):
        character = text[at]
        if character in "({[":
            depth += 1
        elif character in ")}]":
            depth -= 1
            if depth == 0 and character == "}":
                return at + 1
        elif character == ";" and depth == 0:
            return at + 1
    raise Unclear("an item does not end")


ITEM = re.compile(
    r"(?m)^(?:pub(?:\([^)]*\))?\s+)?(?:(?:unsafe|const|async|default)\s+)*"
    r"(?:(?P<impl>impl)\b|(?P<kind>fn|struct|enum|trait|type)\s+(?P<name>\w+))"
)
METHOD = re.compile(r"(?m)^    (?:pub(?:\([^)]*\))?\s+)?(?:(?:const|async)\s+)*fn\s+(?P<name>\w+)")
IMPL = re.compile(r"impl\s*(?:<[^{]*?>\s*)?(?:(?P<trait>[\w:]+)(?:<[^{]*?>)?\s+for\s+)?(?P<type>\w+)")


def items(text):
    """The items of a file: (kind, name, trait, text). rustfmt puts each at the line's beginning."""
    at = 0
    while (found := ITEM.search(text, at)) is not None:
        at = end_of_item(text, found.start())
        item = text[found.start() : at]
        if found["impl"]:
            head = IMPL.match(item)
            if head is None:
                raise Unclear(f"cannot read: {item.splitlines()[0]}")
            yield "impl", head["type"], head["trait"], item
        else:
            yield found["kind"], found["name"], None, item


def methods(item):
    """The functions of an `impl` or a `trait`: (name, text)."""
    for found in METHOD.finditer(item):
        yield found["name"], item[found.start() : end_of_item(item, found.start())]


def words(text):
    return set(re.findall(r"\w+", text))


# ---- From functions to ports --------------------------------------------------------------


def port_methods(sources):
    """The methods of each port's trait."""
    found = {}
    for path, text in sources.items():
        if path.startswith("shared/core/src/ports"):
            for kind, name, _, item in items(code_of(text)):
                if kind == "trait" and name not in OTHER_PORTS:
                    found[name] = {method for method, _ in methods(item)}
    if found.keys() != PORTS.keys():
        raise Unclear(f"the core's ports are {sorted(found)}, this check knows {sorted(PORTS)}")
    return found


def check_names(path, text):
    """Refuses a port that is held under another name than its own."""
    ports = "|".join(PORTS)
    for found in re.finditer(rf"(?:(\w+)\s*:\s*(?:Option<)?(?:Arc<|&(?:'\w+\s+)?))?dyn\s+({ports})\b", text):
        if found[1] != PORTS[found[2]][0]:
            raise Unclear(f"{path}: a {found[2]} must be held as `{PORTS[found[2]][0]}`")
    if found := re.search(rf"(?:\bimpl\s+|\w\s*:\s*)({ports})\b(?!\s+for)", text):
        raise Unclear(f"{path}: a generic {found[1]} is not followed by this check; use `dyn`")
    names = "|".join(PORT_NAMES)
    for found in re.finditer(rf"\blet\s+(?:mut\s+)?(\w+)\s*=\s*[&*]*(?:\w+\.)+({names})\s*;", text):
        if found[1] != found[2]:
            raise Unclear(f"{path}: `{found[1]}` is another name for `{found[2]}`")


def port_calls(text, known):
    """The calls of ports in `text`: (port, method); of a queue (port, kind of message)."""
    names = "|".join(PORT_NAMES)
    found = set()
    for name, method in re.findall(rf"\b({names})\s*\.\s*(\w+)\s*\(", text):
        port = PORT_NAMES[name]
        if method in known[port] and port != "Queue":
            found.add((port, method))
    # One whose fields are only named is taken apart: a pattern.
    for kind in re.findall(r"\bMessage::(\w+)\s*\{(?![\w\s,.]*\}\s*(?:=>|\||\)|if\b))", text):
        found.add(("Queue", kind))
    return found


def needed_ports(sources):
    """For each function, the calls of ports that it can make."""
    known = port_methods(sources)
    nodes = {}
    for path, text in sources.items():
        if path.startswith("shared/core/src/") and "/ports/" not in path:
            text = code_of(text)
            check_names(path, text)
            for _, name, _, item in items(text):
                nodes[name] = nodes.get(name, "") + item
    # How a message is read and written is no sending.
    nodes.pop("Message", None)
    needed = {}
    for function, folder in FUNCTIONS.items():
        own = [text for path, text in sources.items() if path.startswith(f"functions/{folder}/")]
        root = code_of("\n".join(own))
        if "aws_sdk" in root:
            raise Unclear(f"functions/{folder} uses the SDK itself; an adapter should")
        named = " ".join(re.findall(r"\bbatchfleet_core::(?:[^;{]*\{[^;]*|[\w:]+)", root))
        if "*" in named:
            raise Unclear(f"functions/{folder} imports all of a module; name what it uses")
        reached, todo = set(), words(named) & nodes.keys()
        while todo:
            name = todo.pop()
            reached.add(name)
            todo |= (words(nodes[name]) & nodes.keys()) - reached
        needed[function] = port_calls(root, known).union(
            *(port_calls(nodes[name], known) for name in reached)
        )
    return needed


# ---- From ports to the SDK ----------------------------------------------------------------


def sdk_calls(text):
    """The calls of the SDK that a function of shared/aws makes itself."""
    calls = set(re.findall(r"\b(?:client|dynamodb|s3|sqs)\s*\.\s*([a-z0-9_]+)\(\)", text)) - {"clone"}
    if "get_object" in calls and ".version_id(" in text:
        calls.add("get_object of a version")
    if re.search(r"\.send\(\)", text) and not calls:
        raise Unclear("a request is sent whose call is not beside it")
    return calls | set(re.findall(r"\b(Put|Update|Delete|ConditionCheck)::builder\(\)", text))


def adapter_calls(sources):
    """For each (port, method), the calls of the SDK."""
    bodies, ports = {}, {}
    for path, text in sources.items():
        if not path.startswith("shared/aws/src/"):
            continue
        for kind, name, trait, item in items(code_of(text)):
            if kind == "fn":
                bodies[(None, name)] = item
            elif kind == "impl":
                for method, body in methods(item):
                    bodies[(name, method)] = body
                    if trait in PORTS:
                        ports[(trait, method)] = (name, method)
    types = {owner for owner, _ in bodies if owner}

    def callees(node):
        owner, text = node[0], bodies[node]
        for method in re.findall(r"\bself\s*\.\s*(\w+)\s*\(|\bSelf::(\w+)\(", text):
            yield owner, method[0] or method[1]
        for name in re.findall(r"(?<![.\w:])(?<!fn )(\w+)\s*\(", text):
            yield None, name
        for other in words(text) & types:
            for method in re.findall(r"(?:\.|::)\s*(\w+)\s*\(", text):
                yield other, method

    def reach(node):
        reached, todo = set(), {node}
        while todo:
            at = todo.pop()
            reached.add(at)
            todo |= {callee for callee in callees(at) if callee in bodies} - reached
        return reached

    own = {node: sdk_calls(text) for node, text in bodies.items()}
    found, led_to = {}, set()
    for method, node in ports.items():
        reached = reach(node)
        led_to |= reached
        found[method] = set().union(*(own[at] for at in reached))
    for name in COMMANDS_ALONE:
        led_to |= reach((None, name))
    for (owner, name), calls in own.items():
        if calls and (owner, name) not in led_to:
            raise Unclear(f"no port leads to {owner or 'shared/aws'}::{name}, which calls {calls}")
        if unknown := calls - ACTIONS.keys():
            raise Unclear(f"{owner}::{name} calls {unknown}, of which ACTIONS knows nothing")
    return found


# ---- What is needed, and what is granted --------------------------------------------------


def needed(sources, template):
    """For each function, what it needs: {(action, resource): why}."""
    for path, text in sources.items():
        if re.search(r"(?<!\bmod )\boperator\b", code_of(text)):
            raise Unclear(f"{path} uses {OPERATOR}, which is the command's alone")
    calls = adapter_calls(sources)
    result = {}
    for function, ports in needed_ports(sources).items():
        grants = result[function] = lambda_grants(template, function)
        for port, method in sorted(ports):
            if port == "Lookup":
                for call in calls[(port, method)]:
                    for action in ACTIONS[call]:
                        grants.setdefault((action, "DestinationTables"), f"lookup.{method}")
            resource = PORTS[port][1]
            why = f"{PORTS[port][0]}.{method}"
            if port == "Queue":
                resource, why, method = QUEUES[method], f"queue.send of {method}", "send"
            for call in sorted(calls[(port, method)]):
                for action in ACTIONS[call]:
                    on = resource.split("/")[0] if action in BUCKET_ACTIONS else resource
                    grants.setdefault((action, on), why)
    return result


def lambda_grants(template, function):
    """What Lambda itself does in the function's name."""
    properties = template["Resources"][function]["Properties"]
    grants = {}
    for event in properties.get("Events", {}).values():
        if event["Type"] == "SQS":
            queue = resource_of(event["Properties"]["Queue"], template)
            for verb in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"):
                grants[(f"sqs:{verb}", queue)] = "its event source"
    failed = properties.get("EventInvokeConfig", {}).get("DestinationConfig", {}).get("OnFailure")
    if failed is not None:
        queue = resource_of(failed["Destination"], template)
        grants[("sqs:SendMessage", queue)] = "its failure destination"
    logs = properties["LoggingConfig"]["LogGroup"]["Ref"]
    for verb in ("CreateLogStream", "PutLogEvents"):
        grants[(f"logs:{verb}", logs)] = "its logs"
    return grants


def resource_of(value, template):
    """The name of a resource of the template: `Table`, `UploadBucket/incoming/*`."""
    attribute = value.get("Fn::GetAtt") if isinstance(value, dict) else None
    if attribute is not None:
        name, _, what = attribute.partition(".") if isinstance(attribute, str) else (
            attribute[0], "", attribute[1])
        if what == "Arn":
            return name
    text = value.get("Fn::Sub") if isinstance(value, dict) else value
    if isinstance(text, str):
        for name, resource in template["Resources"].items():
            if resource["Type"] == "AWS::S3::Bucket":
                prefix = "arn:${AWS::Partition}:s3:::" + resource["Properties"]["BucketName"]["Fn::Sub"]
                if text == prefix or text.startswith(prefix + "/"):
                    return name + text[len(prefix) :]
        table = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/"
        parameter = text[len(table) + 2 : -1]
        if text == table + "${" + parameter + "}" and parameter in template["Parameters"]:
            return parameter
    raise Unclear(f"{value} names no resource of the template")


def granted(template, function):
    """What the function's role grants: {(action, resource)}."""
    properties = template["Resources"][function]["Properties"]
    if "Policies" in properties:
        raise Unclear(f"{function} has policies of its own; they belong into its role")
    name = resource_of(properties["Role"], template)
    role = template["Resources"][name]["Properties"]
    if unread := role.keys() - {"AssumeRolePolicyDocument", "Policies"}:
        raise Unclear(f"the role of {function} has {sorted(unread)}, which this check does not read")
    trusted = [one["Principal"] for one in role["AssumeRolePolicyDocument"]["Statement"]]
    if trusted != [{"Service": "lambda.amazonaws.com"}]:
        raise Unclear(f"the role of {function} can be taken by {trusted}")
    grants = set()
    # Those that stand by themselves are there on a condition.
    others = [one for one in template["Resources"].values() if one["Type"] == "AWS::IAM::Policy"]
    others = [one["Properties"] for one in others if {"Ref": name} in one["Properties"]["Roles"]]
    for policy in role["Policies"] + others:
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement.keys() - {"Sid"} != {"Effect", "Action", "Resource"}:
                raise Unclear(f"{statement.get('Sid')} has more than an action and a resource")
            if statement["Effect"] != "Allow":
                raise Unclear(f"{statement.get('Sid')} denies; a role that grants little needs not")
            for action in as_list(statement["Action"]):
                for resource in as_list(statement["Resource"]):
                    grants.add((action, resource_of(resource, template)))
    return grants


def as_list(value):
    return value if isinstance(value, list) else [value]


def unknown_functions(template):
    """Refuses functions that are not compared."""
    resources = template["Resources"].items()
    names = {name for name, one in resources if one["Type"].endswith("::Function")}
    if names != FUNCTIONS.keys():
        raise Unclear(f"the template's functions are {sorted(names)}, FUNCTIONS has others")


def own_keys(template):
    """Refuses keys of one's own: whoever uses what they encrypt needs KMS's actions as well."""
    for name, resource in template["Resources"].items():
        if re.search(r"KmsKey|KMSMasterKey|KmsMasterKey|aws:kms", str(resource)):
            raise Unclear(f"{name} has a KMS key of its own: teach this check the actions for it")


CLOSED = ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"]


def is_closed(properties):
    """Whether a bucket can be opened to the public by no list and no policy."""
    closed = properties.get("PublicAccessBlockConfiguration", {})
    owner = properties.get("OwnershipControls", {}).get("Rules")
    is_owned = owner == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    return is_owned and all(closed.get(how) is True for how in CLOSED)


# What each kind of resource that holds data must have: what is said where it has not, and how to see.
PROTECTION = {
    "AWS::S3::Bucket": [
        ("is not closed to the public", is_closed),
        ("is not encrypted", lambda p: "BucketEncryption" in p),
        ("keeps no versions", lambda p: p.get("VersioningConfiguration") == {"Status": "Enabled"}),
    ],
    "AWS::SQS::Queue": [("is not encrypted", lambda p: p.get("SqsManagedSseEnabled") is True)],
    "AWS::DynamoDB::Table": [
        ("is not encrypted", lambda p: p.get("SSESpecification") == {"SSEEnabled": True}),
    ],
}


def unprotected(template):
    """Resources that hold data and lack a protection, one line each."""
    refusing = set()
    for resource in template["Resources"].values():
        if resource["Type"] in ("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy"):
            properties = resource["Properties"]
            for one in properties["PolicyDocument"]["Statement"]:
                if one["Effect"] == "Allow":
                    yield f"{one.get('Sid')} lets others in"
                elif one["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}:
                    refusing |= {one["Ref"] for one in properties.get("Queues", [])}
                    refusing |= {properties.get("Bucket", {}).get("Ref")}
    for name, resource in template["Resources"].items():
        for what, is_so in PROTECTION.get(resource["Type"], []):
            if not is_so(resource["Properties"]):
                yield f"{name} {what}"
        if resource["Type"] in ("AWS::S3::Bucket", "AWS::SQS::Queue") and name not in refusing:
            yield f"{name} answers without TLS"


def problems(sources, template):
    """What does not match, one line each."""
    try:
        unknown_functions(template)
        own_keys(template)
        wanted = needed(sources, template)
        found = list(unprotected(template))
        for function, wants in wanted.items():
            has = granted(template, function)
            for action, resource in sorted(has - wants.keys()):
                found.append(f"{function} may {action} on {resource}, and its code never does")
            for action, resource in sorted(wants.keys() - has):
                why = wants[(action, resource)]
                found.append(f"{function} may not {action} on {resource}, which {why} needs")
        return found
    except Unclear as error:
        return [str(error)]


# ---- Planted mistakes ---------------------------------------------------------------------


def statement(template, function, sid):
    role = template["Resources"][f"{function}Role"]["Properties"]
    policies = role["Policies"][0]["PolicyDocument"]["Statement"]
    return next(one for one in policies if one["Sid"] == sid)


def change_list(function, sid, key, remove=None, add=None):
    def plant(_, template):
        one = statement(template, function, sid)
        one[key] = [value for value in as_list(one[key]) if value != remove] + as_list(add or [])

    return plant


def edit(path, old, new):
    def plant(sources, _):
        if old not in sources[path]:
            sys.exit(f"iam.py: the self-test looks for {old!r} in {path} in vain")
        sources[path] = sources[path].replace(old, new, 1)

    return plant


# What is planted: its name, how, and what the complaint must mention.
MISTAKES = [
    (
        "an action that the code never uses",
        change_list("Sweeper", "LookAtOpenJobs", "Action", add="dynamodb:PutItem"),
        "Sweeper may dynamodb:PutItem on Table",
    ),
    (
        "a call without its action",
        change_list("Worker", "WorkOnJobs", "Action", remove="dynamodb:Query"),
        "Worker may not dynamodb:Query on Table",
    ),
    (
        "no action for a transaction's check",
        change_list("Orchestrator", "PlanJobs", "Action", remove="dynamodb:ConditionCheckItem"),
        "Orchestrator may not dynamodb:ConditionCheckItem",
    ),
    (
        "no action for a call that only failures make",
        change_list("Worker", "WriteResults", "Action", remove="s3:AbortMultipartUpload"),
        "Worker may not s3:AbortMultipartUpload",
    ),
    (
        "a spool that cannot be cleared",
        change_list("Worker", "UseSpool", "Action", remove="s3:DeleteObject"),
        "Worker may not s3:DeleteObject on ResultsBucket/spool/*",
    ),
    (
        "results that can be deleted",
        change_list("Worker", "WriteResults", "Action", add="s3:DeleteObject"),
        "Worker may s3:DeleteObject on ResultsBucket/jobs/*",
    ),
    (
        "versions that cannot be read",
        change_list("Worker", "ReadUploads", "Action", remove="s3:GetObjectVersion"),
        "Worker may not s3:GetObjectVersion",
    ),
    (
        "a missing key that looks forbidden",
        change_list("Orchestrator", "TellMissingFromForbidden", "Action", "s3:ListBucket"),
        "Orchestrator may not s3:ListBucket",
    ),
    (
        "an event source without its actions",
        change_list("Worker", "ReceiveWorkMessages", "Action", remove="sqs:DeleteMessage"),
        "Worker may not sqs:DeleteMessage on WorkQueue",
    ),
    (
        "a queue too many",
        change_list(
            "Worker", "SendMessages", "Resource", add={"Fn::GetAtt": ["PrepareQueue", "Arn"]}
        ),
        "Worker may sqs:SendMessage on PrepareQueue",
    ),
    (
        "a destination that cannot be written to",
        lambda _, t: t["Resources"]["WorkerDestinationPolicy"]["Properties"]["PolicyDocument"][
            "Statement"
        ][0]["Action"].remove("dynamodb:BatchWriteItem"),
        "Worker may not dynamodb:BatchWriteItem on DestinationTables",
    ),
    (
        "a table that records cannot be looked up in",
        lambda _, t: t["Resources"]["WorkerLookupPolicy"]["Properties"]["PolicyDocument"][
            "Statement"
        ][0]["Action"].remove("dynamodb:BatchGetItem"),
        "Worker may not dynamodb:BatchGetItem on LookupTables",
    ),
    (
        "a destination that records cannot be looked up in",
        lambda _, t: t["Resources"]["WorkerDestinationPolicy"]["Properties"]["PolicyDocument"][
            "Statement"
        ][0]["Action"].remove("dynamodb:BatchGetItem"),
        "Worker may not dynamodb:BatchGetItem on DestinationTables",
    ),
    (
        "a port that is not followed",
        edit("shared/core/src/ports/sink.rs", "pub trait Sinks", "pub trait Mails {}\npub trait Sinks"),
        "the core's ports are",
    ),
    (
        "a wildcard for an action",
        change_list("Worker", "WorkOnJobs", "Action", add="dynamodb:*"),
        "Worker may dynamodb:*",
    ),
    (
        "a wildcard for a resource",
        change_list("Sweeper", "WakeJobs", "Resource", add="*"),
        "names no resource",
    ),
    (
        "a managed policy",
        lambda _, t: t["Resources"]["WorkerRole"]["Properties"].update(ManagedPolicyArns=["arn"]),
        "ManagedPolicyArns",
    ),
    (
        "a key of one's own",
        lambda _, t: t["Resources"]["WorkQueue"]["Properties"].update(KmsMasterKeyId="alias/mine"),
        "KMS",
    ),
    (
        "a bucket that a policy could open",
        lambda _, t: t["Resources"]["ResultsBucket"]["Properties"][
            "PublicAccessBlockConfiguration"
        ].update(BlockPublicPolicy=False),
        "ResultsBucket is not closed",
    ),
    (
        "a bucket without encryption",
        lambda _, t: t["Resources"]["UploadBucket"]["Properties"].pop("BucketEncryption"),
        "UploadBucket is not encrypted",
    ),
    (
        "a queue that answers without TLS",
        lambda _, t: t["Resources"].pop("PrepareQueuePolicy"),
        "PrepareQueue answers without TLS",
    ),
    (
        "a policy that lets others in",
        lambda _, t: t["Resources"]["ResultsBucketPolicy"]["Properties"]["PolicyDocument"][
            "Statement"
        ].append({"Sid": "All", "Effect": "Allow", "Principal": "*"}),
        "All lets others in",
    ),
    (
        "a function that is not compared",
        lambda _, t: t["Resources"].update(Auditor=t["Resources"]["Sweeper"]),
        "FUNCTIONS has others",
    ),
    (
        "a use case that calls more",
        edit("shared/core/src/sweep.rs", "self.store.watch(", "self.store.put_layout("),
        "Sweeper may not dynamodb:PutItem",
    ),
    (
        "a use case that calls less",
        edit("shared/core/src/sweep.rs", "self.store.open_jobs()", "self.none()"),
        "Sweeper may dynamodb:Query on Table",
    ),
    (
        "a worker that wakes preparers",
        edit(
            "shared/core/src/lease.rs",
            "let mut work",
            "let message = Message::Prepare { source: lease.source.clone() }; let mut work",
        ),
        "Worker may not sqs:SendMessage on PrepareQueue",
    ),
    (
        "a port under another name",
        edit("shared/core/src/lease.rs", "store: &dyn Store", "kept: &dyn Store"),
        "must be held as `store`",
    ),
    (
        "another name for a port",
        edit(
            "shared/core/src/work/invocation.rs",
            "let store = &self.worker.store;",
            "let s = &self.worker.store;",
        ),
        "is another name for",
    ),
    (
        "an adapter that calls more",
        edit("shared/aws/src/sqs.rs", "self.client\n            .send_message()", "self.client.purge_queue()"),
        "purge_queue",
    ),
    (
        "a function that calls the SDK itself",
        edit("functions/worker/src/lib.rs", "use std::sync::Arc;", "use aws_sdk_s3::Client;"),
        "uses the SDK itself",
    ),
    (
        "a function that does an operator's work",
        edit(
            "functions/worker/src/lib.rs",
            "use std::sync::Arc;",
            "use batchfleet_aws::operator::DeadLetters;",
        ),
        "which is the command's alone",
    ),
]


def self_test(sources, template):
    """The number of planted mistakes that were missed, each printed."""
    missed = 0
    for name, plant, mention in MISTAKES:
        broken_sources, broken_template = dict(sources), copy.deepcopy(template)
        plant(broken_sources, broken_template)
        found = problems(broken_sources, broken_template)
        if any(mention in problem for problem in found):
            print(f"self-test: found {name}")
        else:
            print(f"self-test: MISSED {name}; it found {found}", file=sys.stderr)
            missed += 1
    return missed


def main():
    sources = read_sources()
    template = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))
    found = problems(sources, template)
    for problem in found:
        print(f"iam.py: {problem}", file=sys.stderr)
    failures = len(found)
    if sys.argv[1:] == ["--self-test"]:
        failures += self_test(sources, template)
    elif sys.argv[1:] == ["--table"]:
        for function, wants in needed(sources, template).items():
            for (action, resource), why in sorted(wants.items()):
                print(f"| {function} | `{action}` | {resource} | {why} |")
    elif sys.argv[1:]:
        sys.exit(__doc__)
    if failures:
        sys.exit(f"iam.py: {failures} problem(s), listed above")
    print(f"{TEMPLATE.name}: every role grants just what its function calls, and data is closed in")


if __name__ == "__main__":
    main()
