"""A table in the making: rows as a file has them, each with what has to become of it.

What is expected is said by whoever adds a row, who knows how the row was made: nothing here reads the
file again, and nothing asks batchfleet. It must not know any of the examples.
"""

import csv
import gzip
import io
import json
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

# What kind of error each code is, as docs/definitions.md has it.
CATEGORIES = {
    "MALFORMED_ROW": "FORMAT",
    "DUPLICATE_VALUE": "DUPLICATE",
    "RULE": "CUSTOM",
}


class Raw(str):
    """A number, as the output has it, digit by digit."""


def error(code, field, tail, suggestion=None, *, cell=None, whole=False, severity=None):
    """An error of a field: `cell` is what the message quotes; `whole` says that `tail` is all of it."""
    shown = "" if cell is None else f'"{cell}" '
    message = tail if whole or field is None else f"{field}: {shown}{tail}"
    found = {"code": code, "category": CATEGORIES.get(code, "VALIDATION")}
    if field is not None:
        found["field"] = field
    found["message"] = message
    if suggestion is not None:
        found["suggestion"] = suggestion
    if severity is not None:
        found["severity"] = severity
    return found


class Table:
    """A file and its expectations."""

    def __init__(self, name, columns, *, delimiter=",", line_end="\n", encoding="utf-8", sensitive=()):
        self.folder = EXAMPLES / name
        self.columns = columns
        self.delimiter = delimiter
        self.line_end = line_end
        self.encoding = encoding
        self.sensitive = {columns.index(column) for column in sensitive}
        self.text = ""
        self.index = 0
        self.counts = {"records": 0, "accepted": 0, "rejected": 0, "skipped": 0}
        self.codes = {}
        self.warnings = {}
        self.output = []
        self.rejects = []
        self.objects = []
        self.warned = []

    def line(self, text):
        """A line that is no record: of the preamble, the header, or a footer."""
        self.text += text + self.line_end

    def header(self, quote_all=False):
        self.line(self.row_text(self.columns, quote_all))

    def row_text(self, cells, quote_all=False):
        out = io.StringIO()
        quoting = csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL
        # The writer quotes a line break only if it is one of the line end's own.
        csv.writer(out, delimiter=self.delimiter, lineterminator="\r\n", quoting=quoting).writerow(cells)
        return out.getvalue().removesuffix("\r\n")

    def _begin(self, text):
        place = {
            "record": self.index,
            "line": self.text.count("\n") + 1,
            # Of the text in UTF-8: that is what is read, whatever the file is in.
            "offset": len(self.text.encode()),
        }
        self.index += 1
        # For rows that repeat this one's values.
        self.last_line = place["line"]
        self.counts["records"] += 1
        self.text += text + self.line_end
        return place

    def skipped(self, text=""):
        """A row with nothing in it."""
        self._begin(text)
        self.counts["skipped"] += 1

    def good(self, cells, output, warnings=(), quote_all=False):
        """A row that is accepted."""
        place = self._begin(self.row_text(cells, quote_all))
        self.counts["accepted"] += 1
        self.output.append(output)
        if warnings:
            self._count(self.warnings, warnings)
            self.warned.append(place | {"errors": list(warnings), "cells": self._named(cells)})

    def bad(self, cells, *errors, quote_all=False, text=None):
        """A row that is not. `text` is how it stands in the file, if that is not how cells are written."""
        place = self._begin(self.row_text(cells, quote_all) if text is None else text)
        self.counts["rejected"] += 1
        self._count(self.codes, errors)
        shown = self._shown(cells)
        shown += [""] * (len(self.columns) - len(cells))
        codes = list(dict.fromkeys(e["code"] for e in errors if "severity" not in e))
        self.rejects.append(
            shown + [place["record"], place["line"], "; ".join(map(sentence, errors)), " ".join(codes)]
        )
        found = place | {"errors": list(errors), "cells": self._named(cells)}
        if len(cells) > len(self.columns):
            found["extra"] = self._shown(cells)[len(self.columns) :]
        self.objects.append(found)

    def _count(self, counts, errors):
        for code in {e["code"] for e in errors if (counts is self.warnings) == ("severity" in e)}:
            counts[code] = counts.get(code, 0) + 1

    def _shown(self, cells):
        """With what nobody is to see masked; in a row of another length that may be any cell."""
        is_ragged = len(cells) != len(self.columns) and self.sensitive
        return [
            "***" if cell and (is_ragged or at in self.sensitive) else cell
            for at, cell in enumerate(cells)
        ]

    def _named(self, cells):
        return dict(zip(self.columns, self._shown(cells)))

    def write(self, file):
        """Writes the file and its expectations."""
        content = self.text.encode(self.encoding)
        if file.endswith(".gz"):
            # Without the time, which would make another file each time.
            content = gzip.compress(content, mtime=0)
        (self.folder / "expected").mkdir(parents=True, exist_ok=True)
        (self.folder / file).write_bytes(content)
        summary = self.counts | {"errors": self.codes, "warnings": self.warnings}
        self._expect("summary.json", json.dumps(summary, indent=2, sort_keys=True) + "\n")
        self._expect("output.jsonl", "".join(map(output_line, self.output)))
        self._expect("rejects.jsonl", "".join(map(output_line, self.objects)))
        self._expect("warnings.jsonl", "".join(map(output_line, self.warned)))
        head = self.row_text(self.columns + ["_record", "_line", "_errors", "_codes"])
        rows = [head] + [self.row_text(row) for row in self.rejects]
        self._expect("rejects.csv", "".join(row + "\n" for row in rows))

    def _expect(self, name, text):
        path = self.folder / "expected" / name
        if not text:
            path.unlink(missing_ok=True)
            return
        path.write_bytes(text.encode())


def sentence(one):
    """An error as rejects.csv says it."""
    warning = "warning: " if "severity" in one else ""
    meant = f"; did you mean {one['suggestion']}?" if "suggestion" in one else ""
    return warning + one["message"] + meant


def output_line(value):
    """A value on one line, numbers as they were written."""
    return encode(value) + "\n"


def encode(value):
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        members = (f"{json.dumps(key, ensure_ascii=False)}:{encode(member)}" for key, member in value.items())
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(encode, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
