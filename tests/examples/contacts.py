"""contacts: an address book as a German Excel saves it, for a system whose fields are English."""

from .table import Table, error

COLUMNS = ["Vorname", "Nachname", "E-Mail-Adresse", "Telefon", "Firma", "Land", "Newsletter", "Geburtsdatum", "Notizen"]

# Invented, each with the name as it should be.
PEOPLE = [
    ("Ada", "Brandt"), ("Bruno", "Castellani"), ("Clara", "Dupont"), ("David", "Eberhardt"),
    ("Élise", "Fontaine"), ("Ferenc", "Gál"), ("Greta", "Hansen"), ("Henrik", "Ibarra-Lund"),
    ("Ines", "Jakobsen"), ("Jürgen", "Köhler"), ("Karla", "Lindqvist"), ("Léon", "Mercier"),
    ("Marta", "Nowicka"), ("Nils", "Oberländer"), ("Olga", "Petrović"), ("Paul", "Quist"),
    ("Quentin", "Roussel"), ("Rosa", "Schäfer"), ("Søren", "Thygesen"), ("Tilda", "Unger"),
]
SPELT = [str, str.upper, str.lower, lambda name: f"  {name} "]
# Countries as people write them, and the telephone numbers that regulators keep for films.
COUNTRIES = [("Deutschland", "DE"), ("DE", "DE"), ("Österreich", "AT"), ("France", "FR"), ("germany", "DE"), ("", None)]
PHONES = [
    ("030 / 23125-0{0:02}", "0049 ", "+493023125{1:03}"),
    ("(0)40 66969 0{0:02}", "+49 ", "+494066969{1:03}"),
    ("20 7946 00{0:02}", "+44 ", "+44207946{1:04}"),
    ("(202) 555-01{0:02}", "+1 ", "+12025550{2:03}"),
]
CONSENTS = [("ja", True), ("nein", False), ("X", True), ("-", False), ("Yes", True)]
FIRMS = ["Muster GmbH", "Example, Inc.", "", 'Café "Zum Anker"']


def phone(number):
    local, country, e164 = PHONES[number % len(PHONES)]
    if country == "0049 ":
        local = local.removeprefix("0")
    rest = number % 90
    return country + local.format(rest), e164.format(rest, rest, 100 + rest)


def person(number):
    """A good row, and what it becomes."""
    first, last = PEOPLE[number % 20][0], PEOPLE[(number * 7 + number // 20) % 20][1]
    spell = SPELT[number % 4]
    address = f"kontakt{number:03}@example.{'com' if number % 2 else 'org'}"
    shown = f"{first} {last} <{address.upper()}>" if number % 5 == 0 else address.capitalize()
    called, e164 = phone(number) if number % 6 else ("", None)
    country, code = COUNTRIES[number % 6]
    consent, agreed = CONSENTS[number % 5]
    year, month, day = 1950 + number % 50, number % 12 + 1, number % 28 + 1
    born = f"{day:02}.{month:02}.{year}" if number % 3 else ("" if number % 2 else f"{year}-{month:02}-{day:02}")
    firm = FIRMS[number % 4]
    note = "trifft man auf der Messe;\nspricht Dänisch" if number % 17 == 0 else ""
    cells = [spell(first), spell(last), shown, called, firm, country, consent, born, note]
    output = {
        "first_name": first,
        "last_name": last,
        "name": f"{first} {last}",
        "email": address,
        "phone": e164,
        "company": firm,
        "country": code,
        "consent": agreed,
        "birthday": f"{year}-{month:02}-{day:02}" if born else None,
        "source": "address book",
    }
    return cells, output


def required(field):
    return error("REQUIRED", field, "a value is required")


def broken(number, **changes):
    """A good row with other cells."""
    cells, _ = person(number)
    for column, cell in changes.items():
        cells[COLUMNS.index("E-Mail-Adresse" if column == "Mail" else column)] = cell
    return cells


def write():
    # Excel's "CSV UTF-8": a byte order mark, and \r\n.
    table = Table("contacts", COLUMNS, line_end="\r\n", sensitive=["Geburtsdatum"])
    table.text = "\ufeff"
    table.header()
    bad = {
        4: (broken(4, Mail="kontakt004@example"),
            error("TYPE_MISMATCH", "email", "is not an email address", cell="kontakt004@example")),
        9: (broken(9, Mail=""), required("email")),
        13: (broken(13, Vorname=" "), required("first_name")),
        19: (broken(19, Telefon="030 23125019"),
             error("TYPE_MISMATCH", "phone", "has no country code (a telephone number begins with + or 00)", cell="030 23125019")),
        23: (broken(23, Telefon="+49 30 CALL-ME"),
             error("TYPE_MISMATCH", "phone", "is not a telephone number with its country code (+49 30 123456)", cell="+49 30 CALL-ME")),
        28: (broken(28, Land="Frankreihc"),
             error("NOT_IN_SET", "country", "is not one of DE, AT, CH, FR or GB", cell="Frankreihc")),
        31: (broken(31, Newsletter="vielleicht"),
             error("TYPE_MISMATCH", "consent", "is not a boolean (ja, yes, x, nein, no or -)", cell="vielleicht")),
        # What is sensitive is in no message, and masked in the reports.
        37: (broken(37, Geburtsdatum="31.02.1980"),
             error("TYPE_MISMATCH", "birthday", "the value is not a day of the calendar")),
        41: (broken(41, Geburtsdatum="01.01.1880"),
             error("OUT_OF_RANGE", "birthday", "the value is below the minimum 1900-01-01")),
        # All that is wrong with a row, not the first.
        46: (broken(46, Mail="siehe Notizen", Newsletter=""),
             error("TYPE_MISMATCH", "email", "is not an email address", cell="siehe Notizen"), required("consent")),
    }
    # In a row that is longer than the header the birthday may be in any cell. So all of them are masked,
    # and no message shows a value.
    shifted = {
        53: (["Stammkundin"], [error("MALFORMED_ROW", None, "the row has 10 cells, the header has 9")]),
        57: ([""], [
            error("NOT_IN_SET", "country", "the value is not one of DE, AT, CH, FR or GB"),
            error("TYPE_MISMATCH", "consent", "the value is not a boolean (ja, yes, x, nein, no or -)"),
            error("TYPE_MISMATCH", "birthday", "the value is not a date (DD.MM.YYYY or YYYY-MM-DD)"),
        ]),
    }
    # Addresses that an earlier row has, in another spelling; also if that row is a reject itself.
    repeated = {44: ("KONTAKT002@EXAMPLE.ORG", 2), 62: ("Kontakt 19 <kontakt019@example.com>", 19)}
    lines = {}
    for number in range(1, 71):
        if number in (53, 57):
            # A comma that nobody put in quotes: all cells behind it stand one column too far right.
            cells = ["Tilda", "Unger", f"kontakt0{number}@example.com", "", "Unger", " Töchter und Co.", "DE", "ja", "02.03.1970"]
            table.bad(cells + shifted[number][0], *shifted[number][1], text=",".join(cells + shifted[number][0]))
        elif number in repeated:
            address, earlier = repeated[number]
            twice = f"the value must be unique, and is in line {lines[earlier]} already"
            table.bad(broken(number, Mail=address), error("DUPLICATE_VALUE", "email", twice))
        elif number in bad:
            cells, *errors = bad[number]
            table.bad(cells, *errors)
        else:
            cells, output = person(number)
            table.good(cells, output)
        lines[number] = table.last_line
        if number in (20, 60):
            # Rows that Excel kept because they once held something.
            table.skipped(",,,,,,,,")
    table.skipped("")
    table.write("contacts.csv")
