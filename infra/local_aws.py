#!/usr/bin/env python3
"""The local AWS: a ministack of our own, and the stack deployed to it. Called by ./dev.

    local_aws.py start DIR                   start it, at AWS_ENDPOINT_URL or else on a free port
    local_aws.py deploy DIR [NAME=VALUE…]    deploy infra/template.yaml with these parameters and
                                             the code in DIR/artifacts/*/bootstrap
    local_aws.py upload-definitions DIR      put examples/*.yaml where the orchestrator looks for them
    local_aws.py env DIR [FUNCTION]          print how to reach the stack, as shell assignments;
                                             with FUNCTION, also what that function is given
    local_aws.py logs DIR [FUNCTION]         print what the functions logged
    local_aws.py stop DIR                    end what `start` started, and remove DIR

DIR holds all that is of one local AWS; what it serves is in memory only. FUNCTION is
orchestrator, worker or sweeper.
"""

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

INFRA = Path(__file__).resolve().parent
SERVER = INFRA / "ministack_fixed.py"
STACK = "batchfleet"
FUNCTIONS = ["orchestrator", "worker", "sweeper"]
REGION = "us-east-1"
# Of the functions and of whoever calls the local AWS. They open nothing, but no log may hold them.
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "secret-key-of-the-local-aws",
    "AWS_SESSION_TOKEN": "session-token-of-the-local-aws",
}
# Where it differs from a real stack: one machine cannot run 50 workers at once.
LOCAL_PARAMETERS = {"MaxConcurrency": "8"}
# How the command and the functions know the stack: variable → output.
VARIABLES = {
    "BATCHFLEET_TABLE": "TableName",
    "BATCHFLEET_UPLOAD_BUCKET": "UploadBucket",
    "BATCHFLEET_RESULTS_BUCKET": "ResultsBucket",
    "BATCHFLEET_WORK_QUEUE_URL": "WorkQueueUrl",
    "BATCHFLEET_WORK_DEAD_LETTER_QUEUE_URL": "WorkDeadLetterQueueUrl",
    "BATCHFLEET_PREPARE_QUEUE_URL": "PrepareQueueUrl",
    "BATCHFLEET_PREPARE_DEAD_LETTER_QUEUE_URL": "PrepareDeadLetterQueueUrl",
    "BATCHFLEET_UPLOAD_DEAD_LETTER_QUEUE_URL": "UploadDeadLetterQueueUrl",
    "BATCHFLEET_ORCHESTRATOR_FUNCTION": "OrchestratorFunction",
    "BATCHFLEET_WORKER_FUNCTION": "WorkerFunction",
    "BATCHFLEET_SWEEPER_FUNCTION": "SweeperFunction",
}


def fail(message):
    sys.exit(f"local AWS: {message}")


# ---- The server --------------------------------------------------------------------------


def record(directory):
    """What `start` wrote about the server of `directory`; None if there is none."""
    try:
        return json.loads((directory / "server.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def healthy(endpoint):
    try:
        with urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=5) as answer:
            return answer.status == 200
    except (OSError, urllib.error.URLError):
        return False


def answers(endpoint):
    """Whether anything at all listens there."""
    place = urlsplit(endpoint)
    try:
        with socket.create_connection((place.hostname, place.port or 80), timeout=2):
            return True
    except OSError:
        return False


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def serve(directory, port):
    """Start the server in a process group of its own, and return its process."""
    (directory / "tmp").mkdir(parents=True, exist_ok=True)
    # Functions inherit this environment, so it has nothing of the developer's but the path.
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(directory),
        "TMPDIR": str(directory / "tmp"),
        "STATE_DIR": str(directory / "state"),
        "S3_DATA_DIR": str(directory / "s3"),
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "LAMBDA_EXECUTOR": "local",
        **CREDENTIALS,
        # Loopback only. By default it binds every interface, and so do two of its services.
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }
    with open(directory / "server.log", "ab") as log:
        return subprocess.Popen(
            [sys.executable, str(SERVER)],
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def start(directory):
    known = record(directory)
    if known and healthy(known["endpoint"]):
        print(f"local AWS: already running at {known['endpoint']}")
        return
    wanted = os.environ.get("AWS_ENDPOINT_URL", "")
    if wanted and urlsplit(wanted).hostname not in ("127.0.0.1", "localhost", "::1"):
        fail(f"AWS_ENDPOINT_URL is {wanted}, which is not on this machine. Unset it, and try again")
    stop(directory)
    directory.mkdir(parents=True, exist_ok=True)
    if wanted and answers(wanted):
        write_record(directory, wanted, None)
        print(f"local AWS: using the one that answers at {wanted}")
        print("           (if it is a ministack, it should have been started as infra/ministack_fixed.py)")
        return
    port = urlsplit(wanted).port or 80 if wanted else free_port()
    endpoint = f"http://127.0.0.1:{port}"
    server = serve(directory, port)
    write_record(directory, endpoint, server.pid)
    deadline = time.monotonic() + 60
    while not healthy(endpoint):
        if server.poll() is not None or time.monotonic() > deadline:
            log = (directory / "server.log").read_text(encoding="utf-8", errors="replace")
            stop(directory)
            fail(f"it did not start on port {port}. The end of its log:\n{log[-2000:]}")
        time.sleep(0.1)
    print(f"local AWS: running at {endpoint}")


def write_record(directory, endpoint, pid):
    text = json.dumps({"endpoint": endpoint, "pid": pid})
    (directory / "server.json").write_text(text, encoding="utf-8")


def is_ours(pid):
    """Whether `pid` is still the server: ids are reused."""
    command = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return SERVER.name in command.stdout


def stop(directory):
    known = record(directory)
    if known and known["pid"] and is_ours(known["pid"]):
        end_group(known["pid"])
        print(f"local AWS: stopped at {known['endpoint']}")
    if directory.exists():
        shutil.rmtree(directory)


def end_group(group):
    """End the server and the Lambda processes that it started, which share its process group."""
    for how, patience in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
        deadline = time.monotonic() + patience
        try:
            os.killpg(group, how)
            while time.monotonic() < deadline:
                # Reaps it if it is our own child; otherwise its parent does.
                try:
                    os.waitpid(group, os.WNOHANG)
                except ChildProcessError:
                    pass
                os.killpg(group, 0)
                time.sleep(0.05)
        except ProcessLookupError:
            return


# ---- The stack ---------------------------------------------------------------------------


def aws_environment(directory):
    """The environment of programs that talk to this local AWS, and to no other."""
    known = record(directory)
    if not known:
        fail("it is not running. Start it with: ./dev up")
    # Nothing of the developer's own accounts may get in, or out to `env`.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    environment.update(
        CREDENTIALS,
        AWS_DEFAULT_REGION=REGION,
        AWS_REGION=REGION,
        AWS_ENDPOINT_URL=known["endpoint"],
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        AWS_EC2_METADATA_DISABLED="true",
    )
    return environment


def client(directory, service):
    import boto3

    environment = aws_environment(directory)
    os.environ.clear()
    os.environ.update(environment)
    return boto3.client(service)


def built_template(directory):
    """A copy of the template with code from `directory`, as `sam build` would write it."""
    from samcli.yamlhelper import yaml_parse

    template = yaml_parse((INFRA / "template.yaml").read_text(encoding="utf-8"))
    for name, resource in template["Resources"].items():
        if resource["Type"] != "AWS::Serverless::Function":
            continue
        binary = resource.pop("Metadata")["BuildProperties"]["Binary"]
        code = directory / "artifacts" / binary
        if not (code / "bootstrap").is_file():
            fail(f"the code of {name} is missing at {code}/bootstrap. Build it with: ./dev up")
        resource["Properties"]["CodeUri"] = str(code)
    path = directory / "template.json"
    path.write_text(json.dumps(template, indent=1), encoding="utf-8")
    return path


def deploy(directory, parameters):
    chosen = dict(LOCAL_PARAMETERS)
    for parameter in parameters:
        name, equals, value = parameter.partition("=")
        if not equals:
            fail(f"{parameter} is no parameter: it must be NAME=VALUE, as in MaxConcurrency=4")
        chosen[name] = value
    environment = aws_environment(directory)
    # SAM asks a package index for newer versions unless it believes it just has.
    settings = directory / "sam"
    settings.mkdir(exist_ok=True)
    (settings / "metadata.json").write_text(json.dumps({"lastVersionCheck": time.time()}))
    environment["SAM_CLI_TELEMETRY"] = "0"
    environment["SAM_CLI_POLL_DELAY"] = "0.2"
    environment["__SAM_CLI_APP_DIR"] = str(settings)
    command = [
        str(Path(sys.executable).with_name("sam")),
        "deploy",
        f"--template-file={built_template(directory)}",
        f"--stack-name={STACK}",
        "--resolve-s3",
        "--capabilities=CAPABILITY_IAM",
        "--no-confirm-changeset",
        "--no-fail-on-empty-changeset",
        "--parameter-overrides",
        f"AwsEndpointUrl={environment['AWS_ENDPOINT_URL']}",
        *(name + "=" + value for name, value in chosen.items()),
    ]
    began = time.monotonic()
    log = directory / "deploy.log"
    with open(log, "w", encoding="utf-8") as out:
        done = subprocess.run(
            command, cwd=directory, env=environment, stdout=out, stderr=out, check=False
        )
    if done.returncode != 0:
        fail(f"sam deploy failed:\n{log.read_text(encoding='utf-8')[-4000:]}")
    print(f"local AWS: stack {STACK} deployed in {time.monotonic() - began:.1f} s")


def outputs(directory):
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        stacks = client(directory, "cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    except (BotoCoreError, ClientError) as error:
        fail(f"the stack {STACK} cannot be read: {error}. Deploy it with: ./dev up")
    return {output["OutputKey"]: output["OutputValue"] for output in stacks[0]["Outputs"]}


def function_name(found, function):
    names = {name: found[f"{name.capitalize()}Function"] for name in FUNCTIONS}
    if function not in names:
        fail(f"no function is called {function}. There are: {', '.join(names)}")
    return names[function]


def upload_definitions(directory):
    bucket = outputs(directory)["UploadBucket"]
    service = client(directory, "s3")
    for path in sorted(INFRA.parent.glob("examples/*.yaml")):
        service.put_object(Bucket=bucket, Key=f"definitions/{path.name}", Body=path.read_bytes())
        print(f"local AWS: uploaded the definition {path.stem}")


def print_environment(directory, function=None):
    found = outputs(directory)
    assignments = {variable: found[output] for variable, output in VARIABLES.items()}
    assignments["BATCHFLEET_STACK"] = STACK
    if function:
        configuration = client(directory, "lambda").get_function_configuration(
            FunctionName=function_name(found, function)
        )
        assignments.update(configuration["Environment"]["Variables"])
    known = aws_environment(directory)
    assignments.update((name, known[name]) for name in sorted(known) if name.startswith("AWS_"))
    for variable, value in assignments.items():
        print(f"export {variable}={shlex.quote(value)}")
    print("unset AWS_PROFILE")


def logs(directory, function=None):
    found = outputs(directory)
    pages = client(directory, "logs").get_paginator("filter_log_events")
    events = []
    for wanted in [function] if function else FUNCTIONS:
        group = f"/aws/lambda/{function_name(found, wanted)}"
        for page in pages.paginate(logGroupName=group):
            events += [(event["timestamp"], wanted, event["message"]) for event in page["events"]]
    for _, wanted, message in sorted(events, key=lambda event: event[0]):
        print(f"{wanted:12} {message.rstrip()}")
    print(f"The server's own log: {directory / 'server.log'}", file=sys.stderr)


COMMANDS = {
    "start": start,
    "stop": stop,
    "deploy": lambda directory, *parameters: deploy(directory, parameters),
    "upload-definitions": upload_definitions,
    "env": print_environment,
    "logs": logs,
}


def main():
    if len(sys.argv) < 3 or sys.argv[1] not in COMMANDS:
        sys.exit(__doc__)
    COMMANDS[sys.argv[1]](Path(sys.argv[2]).absolute(), *sys.argv[3:])


if __name__ == "__main__":
    main()
