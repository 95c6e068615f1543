"""What must come of a file, told once more in plain Python: csv reads it, a few rules judge it.

Nothing here is shared with the Rust code, so that the two can disagree.
"""

import collections
import csv
import datetime
import hashlib
import json
import re

csv.field_size_limit(1 << 30)

REJECT_COLUMNS = ["_record", "_line", "_errors", "_codes"]
CATEGORIES = {"REQUIRED": "VALIDATION", "TYPE_MISMATCH": "VALIDATION", "MALFORMED_ROW": "FORMAT"}
SPACES = " \t\n\x0c\r"
EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+)*"
    r"@[A-Za-z0-9\u0080-\U0010ffff]([A-Za-z0-9\u0080-\U0010ffff-]*[A-Za-z0-9\u0080-\U0010ffff])?"
    r"(\.[A-Za-z0-9\u0080-\U0010ffff]([A-Za-z0-9\u0080-\U0010ffff-]*[A-Za-z0-9\u0080-\U0010ffff])?)+"
)
INTEGER = re.compile(r"[+-]?[0-9]+")
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")


class Mismatch(Exception):
    """A cell does not fit its type; the text continues a sentence."""


def integer(cell):
    if not INTEGER.fullmatch(cell):
        raise Mismatch("is not a whole number")
    value = int(cell)
    if not -(1 << 63) <= value < 1 << 63:
        raise Mismatch("is too large for a whole number (64 bits)")
    return value


def number(cell):
    if not NUMBER.fullmatch(cell):
        raise Mismatch("is not a number")
    return float(cell)


def date(cell):
    match = DATE.fullmatch(cell)
    if not match:
        raise Mismatch("is not a date (YYYY-MM-DD)")
    try:
        datetime.date(*map(int, match.groups()))
    except ValueError:
        raise Mismatch("is not a day of the calendar") from None
    return cell


def email(cell):
    if not EMAIL.fullmatch(cell) or len(cell.encode()) > 254 or len(cell.split("@")[0].encode()) > 64:
        raise Mismatch("is not an email address")
    return cell


class Field:
    """One field of a definition: its name, the function that converts a cell (None for text)."""

    def __init__(self, name, convert=None, required=False, default=None):
        self.name, self.convert, self.required, self.default = name, convert, required, default

    def value(self, cell):
        if self.convert is None:
            if cell == "" and self.default is not None:
                return self.default
            if self.required and not cell.strip():
                raise Required
            return cell
        cell = cell.strip(SPACES)
        if cell:
            return self.convert(cell)
        if self.required:
            raise Required
        return self.default


class Required(Exception):
    """An empty cell where a value is required."""


# examples/people.yaml
PEOPLE = [
    Field("email", email, required=True),
    Field("name", required=True),
    Field("age", integer),
    Field("signup_date", date),
    Field("role", default="guest"),
]
# examples/flights.yaml
FLIGHTS = [
    *(Field(name, integer, required=True) for name in ("year", "month", "day")),
    Field("dep_time", integer),
    Field("sched_dep_time", integer, required=True),
    Field("dep_delay", integer),
    Field("arr_time", integer),
    Field("sched_arr_time", integer, required=True),
    Field("arr_delay", integer),
    Field("carrier", required=True),
    Field("flight", integer, required=True),
    Field("tailnum"),
    *(Field(name, required=True) for name in ("origin", "dest")),
    Field("air_time", number),
    Field("distance", number, required=True),
    *(Field(name, integer, required=True) for name in ("hour", "minute")),
    Field("time_hour", required=True),
]


def shown(cell):
    return f'"{cell[:64]}…"' if len(cell) > 64 else f'"{cell}"'


class Judged:
    """One record of the source. `pairs` if it is accepted, `errors` if it is rejected, else blank.

    The errors are code, field (None: the whole row) and sentence each, or one sentence of the whole row.
    """

    __slots__ = ("record", "line", "cells", "pairs", "errors")

    def all_errors(self):
        """The errors in the first of these forms."""
        if isinstance(self.errors, str):
            return [("MALFORMED_ROW", None, self.errors)]
        return self.errors


def judge(path, fields):
    """Every record of a file, judged; the header's cells first. Without fields all is text."""
    with open(path, encoding="utf-8", newline="") as source:
        reader = csv.reader(source)
        header = next(reader)
        yield header
        if fields is None:
            fields = [Field(name) for name in header]
        columns = [(field, header.index(field.name)) for field in fields]
        line = reader.line_num + 1
        for record, cells in enumerate(reader):
            judged = Judged()
            judged.record, judged.line, judged.cells = record, line, cells
            judged.pairs = judged.errors = None
            line = reader.line_num + 1
            if not any(cell.strip(" \t\r\n\f") for cell in cells):
                yield judged
                continue
            # Missing cells are empty, and so may be those that are too many.
            cells = cells + [""] * (len(header) - len(cells))
            if any(cell.strip(" \t\r\n\f") for cell in cells[len(header) :]):
                one = "cell" if len(cells) == 1 else "cells"
                judged.errors = f"the row has {len(cells)} {one}, the header has {len(header)}"
                yield judged
                continue
            pairs, errors = [], []
            for field, column in columns:
                try:
                    pairs.append((field.name, field.value(cells[column])))
                except Required:
                    errors.append(("REQUIRED", field.name, f"{field.name}: a value is required"))
                except Mismatch as mismatch:
                    sentence = f"{field.name}: {shown(cells[column])} {mismatch}"
                    errors.append(("TYPE_MISMATCH", field.name, sentence))
            if errors:
                judged.errors = errors
            else:
                judged.pairs = pairs
            yield judged


def check(condition, what):
    """Fails the test with a sentence."""
    if not condition:
        raise AssertionError(what() if callable(what) else what)


def equal(expected, found, what):
    if expected != found:
        raise AssertionError(f"{what}: expected {expected!r:.1000}, found {found!r:.1000}")


decode = json.JSONDecoder(object_pairs_hook=list).decode


def same_types(expected, found):
    return [type(value) for _, value in expected] == [type(value) for _, value in found]


def compare(path, fields, delivered, rejects, objects):
    """Every delivered line and every reject against the file, in order. Returns the counts.

    `delivered` gives the lines of all parts in order; `rejects` is an open text file; `objects` gives
    the lines of rejects.jsonl.
    """
    objects = iter(objects)
    offsets = Offsets(path)
    counts = {"records": 0, "accepted": 0, "rejected": 0, "skipped": 0}
    delivered = iter(delivered)
    rejects = csv.reader(rejects)
    records = judge(path, fields)
    header = next(records)
    equal(header + REJECT_COLUMNS, next(rejects, None), "the header of rejects.csv")
    for judged in records:
        counts["records"] += 1
        where = f"record {judged.record} of {path.name}"
        if judged.pairs is not None:
            counts["accepted"] += 1
            line = next(delivered, None)
            check(line is not None, f"{where} is lost: nothing is delivered from there on")
            found = decode(line)
            if found != judged.pairs or not same_types(judged.pairs, found):
                equal(judged.pairs, found, f"{where} as delivered")
                raise AssertionError(f"{where}: types differ: {judged.pairs!r}, {found!r}")
        elif judged.errors is not None:
            counts["rejected"] += 1
            cells = judged.cells + [""] * (len(header) - len(judged.cells))
            line = next(objects, None)
            check(line is not None, f"{where} is not in rejects.jsonl")
            found = json.loads(line)
            errors = judged.all_errors()
            suggestions = suggested(fields, judged, found["errors"], where)
            expected = reject_object(header, judged, offsets, suggestions)
            equal(expected, found, f"{where} in rejects.jsonl")
            sentences = "; ".join(
                sentence if suggestion is None else f"{sentence}; did you mean {suggestion}?"
                for (_, _, sentence), suggestion in zip(errors, suggestions)
            )
            codes = " ".join(dict.fromkeys(code for code, _, _ in errors))
            expected = cells + [str(judged.record), str(judged.line), sentences, codes]
            equal(expected, next(rejects, None), f"{where} in rejects.csv")
        else:
            counts["skipped"] += 1
    equal(None, next(delivered, None), f"delivered beyond the last record of {path.name}")
    equal(None, next(rejects, None), f"rejected beyond the last record of {path.name}")
    equal(None, next(objects, None), f"in rejects.jsonl beyond the last record of {path.name}")
    return counts


class Offsets:
    """Where lines of a file begin, asked for in their order."""

    def __init__(self, path):
        self.content, self.line, self.offset = path.read_bytes(), 1, 0

    def of(self, line):
        while self.line < line:
            self.offset = self.content.index(b"\n", self.offset) + 1
            self.line += 1
        return self.offset


def suggested(fields, judged, found, where):
    """What is suggested for each error, or None: something that the field takes."""
    errors = judged.all_errors()
    equal(len(errors), len(found), f"errors of {where} in rejects.jsonl")
    by_name = {field.name: field for field in fields or []}
    suggestions = []
    for (_, name, _), error in zip(errors, found):
        suggestion = error.get("suggestion")
        if suggestion is not None:
            check(name in by_name and suggestion not in judged.cells, f"{where}: a strange suggestion {suggestion!r}")
            by_name[name].value(suggestion)
        suggestions.append(suggestion)
    return suggestions


def reject_object(header, judged, offsets, suggestions):
    """The object of a reject in rejects.jsonl."""
    errors = []
    for (code, field, sentence), suggestion in zip(judged.all_errors(), suggestions):
        error = {"code": code, "category": CATEGORIES[code], "message": sentence}
        if field is not None:
            error["field"] = field
        if suggestion is not None:
            error["suggestion"] = suggestion
        errors.append(error)
    found = {"record": judged.record, "line": judged.line, "offset": offsets.of(judged.line), "errors": errors}
    found["cells"] = dict(zip(header, judged.cells))
    if len(judged.cells) > len(header):
        found["extra"] = judged.cells[len(header):]
    return found


def check_manifest(manifest, job, counts, parts, read):
    """Every file that a manifest lists, fetched and summed up; and that no part is missing.

    `parts` are the names of the parts that there are, `read` gives the content of a name.
    """
    equal((1, job), (manifest["version"], manifest["job"]), "version and job of the manifest")
    listed = manifest["parts"]
    equal(sorted(parts), [part["name"] for part in listed], "the parts of the manifest")
    equal(["rejects.csv", "rejects.jsonl"], [report["name"] for report in manifest["reports"]], "its reports")
    equal([counts["rejected"]] * 2, [report["records"] for report in manifest["reports"]], "its rejects")
    for file in listed + manifest["reports"]:
        content = read(file["name"])
        equal(len(content), file["bytes"], f"the length of {file['name']}")
        equal(hashlib.sha256(content).hexdigest(), file["sha256"], f"the checksum of {file['name']}")
        if file in listed:
            equal(content.count(b"\n"), file["records"], f"the records of {file['name']}")
    totals = {"parts": len(listed), "records": counts["accepted"], "bytes": sum(part["bytes"] for part in listed)}
    equal(totals, manifest["totals"], "the totals of the manifest")


def lost_and_doubled(path, fields, delivered):
    """How many accepted rows of a file are not among the delivered lines, and how many lines are
    there beyond them. Says how wrong a result is that `compare` found wrong."""
    def counted(rows):
        return collections.Counter(json.dumps(row) for row in rows)

    records = judge(path, fields)
    next(records)
    expected = counted(judged.pairs for judged in records if judged.pairs is not None)
    found = counted(map(decode, delivered))
    return sum((expected - found).values()), sum((found - expected).values())
