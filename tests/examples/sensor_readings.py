"""sensor-readings: what a gateway collects, gzipped: moments in several notations, values that drift."""

from .table import Raw, Table, error

COLUMNS = ["sensor", "measured_at", "received", "temperature", "humidity", "battery", "status"]
STATES = ["ok", "ok", "OK", "calibrating", "ok", "error"]


def stamp(number):
    """A moment as one of four kinds of sensors writes it, and as it arrives."""
    day, hour, minute = 1 + number // 24, number % 24, number * 7 % 60
    local = f"2024-07-{day:02}T{hour:02}:{minute:02}:00"
    return [
        (f"{local}Z", f"{local}Z"),
        (f"{local}+02:00", f"{local}+02:00"),
        # Without a zone it is the clock of Berlin, which is two hours ahead in July.
        (local.replace("T", " "), f"{local}+02:00"),
        (f"{day}.7.2024 {hour:02}:{minute:02}", f"{local}+02:00"),
    ][number % 4]


def reading(number):
    """A good row, and what it becomes."""
    at, moment = stamp(number)
    seconds = 1_719_792_000 + number * 3_600
    temperature = f"{18 + number % 9}.{number % 10}"
    humidity = str(40 + number % 30) if number % 9 else "NaN"
    state = STATES[number % 6]
    cells = [
        f"GH{1 + number % 4}-{number % 12:02}", at, str(seconds), temperature, humidity,
        str(100 - number % 60), state,
    ]
    output = {
        "sensor": cells[0],
        "measured_at": moment,
        "received": received(number),
        "temperature": Raw(temperature),
        "humidity": None if humidity == "NaN" else Raw(f"{humidity}.0"),
        "battery": Raw(cells[5]),
        "status": state.lower(),
    }
    return cells, output


def received(number):
    """An hour for each row, from the beginning of July (1719792000 is 2024-07-01T00:00:00Z)."""
    return f"2024-07-{1 + number // 24:02}T{number % 24:02}:00:00Z"


def doubtful(number, column, cell, code, tail, value):
    """A row with a value that is reported and kept."""
    cells, output = reading(number)
    cells[COLUMNS.index(column)] = cell
    return cells, output | {column: value}, [error(code, column, tail, cell=cell, severity="warning")]


def broken(number, **changes):
    """A good row with other cells."""
    cells, _ = reading(number)
    for column, cell in changes.items():
        cells[COLUMNS.index(column)] = cell
    return cells


def mismatch(field, cell, tail, suggestion=None):
    return error("TYPE_MISMATCH", field, tail, suggestion, cell=cell)


def warned_rows():
    return [
        (11, "temperature", "85.0", "OUT_OF_RANGE", "is above the maximum 60", Raw("85.0")),
        (27, "temperature", "-127", "OUT_OF_RANGE", "is below the minimum -40", Raw("-127.0")),
        (50, "humidity", "104.2", "OUT_OF_RANGE", "is above the maximum 100", Raw("104.2")),
        (76, "humidity", "-1", "OUT_OF_RANGE", "is below the minimum 0", Raw("-1.0")),
        # What is no number stays the text that it was.
        (97, "temperature", "ERR", "TYPE_MISMATCH", "is not a number", "ERR"),
    ]


def bad_rows():
    """The rows that are not good, and all that is wrong with each."""
    form = "is not a date with a time (YYYY-MM-DDTHH:MM:SS or DD.MM.YYYY HH:mm)"
    hot = error("OUT_OF_RANGE", "temperature", "is above the maximum 60", cell="99", severity="warning")
    return {
        7: (broken(7, sensor="GH9"), error("PATTERN_MISMATCH", "sensor", r"does not match the pattern ^GH\d-\d{2}$", cell="GH9")),
        19: (broken(19, measured_at="2024-07-32T10:00:00Z"), mismatch("measured_at", "2024-07-32T10:00:00Z", "is not a day of the calendar")),
        34: (broken(34, measured_at="yesterday"), mismatch("measured_at", "yesterday", form)),
        58: (broken(58, measured_at=""), error("REQUIRED", "measured_at", "a value is required")),
        65: (broken(65, measured_at="2009-07-01T10:00:00Z"), error("OUT_OF_RANGE", "measured_at", "is below the minimum 2020-01-01T00:00:00Z", cell="2009-07-01T10:00:00Z")),
        80: (broken(80, battery="130"), error("OUT_OF_RANGE", "battery", "is above the maximum 100", cell="130")),
        91: (broken(91, status="okay"), error("NOT_IN_SET", "status", "is not one of ok, calibrating or error", cell="okay")),
        # A reject has its warnings beside its errors.
        113: (broken(113, received="soon", temperature="99"), mismatch("received", "soon", "is not a date with a time (seconds since 1970)"), hot),
    }


def write():
    table = Table("sensor-readings", COLUMNS)
    table.header()
    bad = bad_rows()
    warned = {row[0]: row for row in warned_rows()}
    for number in range(1, 151):
        if number in bad:
            cells, *errors = bad[number]
            table.bad(cells, *errors)
        elif number in warned:
            table.good(*doubtful(*warned[number]))
        else:
            table.good(*reading(number))
        if number % 60 == 0:
            # The gateway was started again.
            table.skipped("")
    table.write("readings.csv.gz")
