#!/usr/bin/env python3
"""Checks infra/template.yaml.

cfn-lint on the SAM source alone passes nonsense such as an unknown runtime, because it does not
apply to SAM's resources what it knows of those they become. So the template is translated first,
the way CloudFormation does it, and cfn-lint judges the result.

    lint.py              lint, once for each architecture
    lint.py --self-test  also plant mistakes and see that each is found
"""

import copy
import json
import os
import sys
from pathlib import Path

# Both tools want some region; neither contacts it.
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

from cfnlint.api import lint as cfnlint  # noqa: E402
from cfnlint.config import ManualArgs  # noqa: E402
from samcli.yamlhelper import yaml_parse  # noqa: E402
from samtranslator.model.exceptions import InvalidDocumentException  # noqa: E402
from samtranslator.translator.transform import transform  # noqa: E402

TEMPLATE = Path(__file__).with_name("template.yaml")
ARCHITECTURES = ("x86_64", "arm64")
# One of each partition. For all regions together, an ARN of several parameters is tried in every
# combination of them, which takes minutes.
REGIONS = ["us-east-1", "us-gov-west-1", "cn-north-1"]


class NoManagedPolicies:
    """Stands in for a call to IAM that SAM makes only for managed policies, of which we use none."""

    @staticmethod
    def load():
        return {}


def translated(template, architecture):
    """The CloudFormation template that SAM makes of `template`."""
    template = copy.deepcopy(template)
    # CloudFormation is handed the code's place in a bucket, as `sam package` fills it in.
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://artifacts/code.zip"
    template["Parameters"]["Architecture"]["Default"] = architecture
    defaults = {
        name: parameter["Default"]
        for name, parameter in template["Parameters"].items()
        if "Default" in parameter
    }
    return transform(template, defaults, NoManagedPolicies)


def problems(template, architecture):
    """What is wrong with `template`, one line each."""
    try:
        result = translated(template, architecture)
    except InvalidDocumentException as error:
        return [f"SAM cannot translate it: {cause.message}" for cause in error.causes]
    checks = ManualArgs(include_checks=["I"], include_experimental=True, regions=REGIONS)
    return [
        f"{match.rule.id} at {'/'.join(str(step) for step in match.path or [])}: {match.message}"
        for match in cfnlint(json.dumps(result), config=checks)
    ]


def lint(template):
    """The number of problems, each printed."""
    count = 0
    for architecture in ARCHITECTURES:
        found = problems(template, architecture)
        for problem in found:
            print(f"{TEMPLATE.name} ({architecture}): {problem}", file=sys.stderr)
        count += len(found)
    return count


def properties(template, resource):
    return template["Resources"][resource]["Properties"]


# What is planted: its name, how, and what the complaint must mention.
MISTAKES = [
    (
        "an unknown runtime",
        lambda t: t["Globals"]["Function"].update(Runtime="provided.al2077"),
        "provided.al2077",
    ),
    (
        "BatchSize: 99999",
        lambda t: properties(t, "Worker")["Events"]["Work"]["Properties"].update(BatchSize=99999),
        "99999",
    ),
    (
        "an unknown architecture",
        lambda t: t["Globals"]["Function"].update(Architectures=["riscv64"]),
        "riscv64",
    ),
    (
        "a misspelt property of a function",
        lambda t: properties(t, "Worker").update(Timout=5),
        "Timout",
    ),
    (
        "a reference to nothing",
        lambda t: properties(t, "Worker").update(MemorySize={"Ref": "NoSuchParameter"}),
        "NoSuchParameter",
    ),
    (
        "a circular dependency",
        lambda t: t["Globals"]["Function"]["Environment"]["Variables"].update(
            BATCHFLEET_UPLOAD_BUCKET={"Ref": "UploadBucket"}
        ),
        "ircular",
    ),
]


def self_test(template):
    """The number of planted mistakes that were missed, each printed."""
    missed = 0
    for name, plant, mention in MISTAKES:
        broken = copy.deepcopy(template)
        plant(broken)
        if any(mention in problem for problem in problems(broken, ARCHITECTURES[0])):
            print(f"self-test: found {name}")
        else:
            print(f"self-test: MISSED {name}: the lint checks less than it claims", file=sys.stderr)
            missed += 1
    return missed


def main():
    template = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))
    failures = lint(template)
    if sys.argv[1:] == ["--self-test"]:
        failures += self_test(template)
    elif sys.argv[1:]:
        sys.exit(__doc__)
    if failures:
        sys.exit(f"{TEMPLATE.name}: {failures} problem(s), listed above")
    print(f"{TEMPLATE.name}: fine for {' and '.join(ARCHITECTURES)}")


if __name__ == "__main__":
    main()
