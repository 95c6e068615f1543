"""bank-transactions: what a German bank exports: windows-1252, semicolons, lines above the table."""

from .table import Raw, Table, error

COLUMNS = ["Buchungstag", "Wertstellung", "Auftraggeber / Empfänger", "Verwendungszweck", "IBAN", "Betrag (EUR)", "Währung"]
PARTIES = [
    "Stadtwerke Müsterstadt", "Bäckerei Göbel", "Öko-Strom eG", "Jörg Weiß", "Café Éclair", "Straßenverkehrsamt",
    "Muster & Söhne KG", "Gehaltsstelle", "Versicherung a. G.", "Übersetzungsbüro Lang",
]
PURPOSES = ["Abschlag Strom", "Miete März; Garage", "Rechnung Nr. 2024-{0:03}", 'Kundennr. "{0:05}"', "Gehalt", "Spende für Äthiopien – danke"]
# As banks write them, and what they are.
AMOUNTS = [
    ("1.234,56-", "-1234.56"), ("-1.234,56", "-1234.56"), ("2.850,00", "2850.00"), ("12,90-", "-12.90"),
    ("-0,05", "-0.05"), ("1.000.000,00", "1000000.00"), ("45,5-", "-45.5"), ("-7,00", "-7.00"),
]


def iban(number):
    """The bank code 50000000 belongs to no bank; the check digits are those of ISO 7064."""
    account = f"50000000{number * 104729 % 10_000_000_000:010}"
    # D is 13, E is 14.
    return f"DE{98 - int(account + '131400') % 97:02}{account}"


def transaction(number):
    """A good row, and what it becomes."""
    day = 1 + number * 31 // 91
    booked = f"{day:02}.03.2024" if number % 5 else f"{day}.3.2024"
    valued = min(day + number % 2, 31)
    amount, exact = AMOUNTS[number % 8]
    purpose = PURPOSES[number % 6].format(number)
    account = iban(number)
    spelt = " ".join(account[at : at + 4] for at in range(0, 22, 4)) if number % 2 else account
    currency = "" if number % 11 == 0 else "EUR"
    cells = [
        booked,
        f"{valued:02}.03.2024",
        PARTIES[number % 10],
        purpose.replace(" ", "  ", 1) if number % 7 == 0 else purpose,
        "" if number % 8 == 4 else spelt,
        amount,
        currency,
    ]
    output = {
        "booked": f"2024-03-{day:02}",
        "valued": f"2024-03-{valued:02}",
        "party": PARTIES[number % 10],
        "purpose": purpose,
        "iban": "" if number % 8 == 4 else account,
        "amount": Raw(exact),
        "currency": "EUR",
    }
    return cells, output


def broken(number, **changes):
    """A good row with other cells."""
    cells, _ = transaction(number)
    for column, cell in changes.items():
        cells[next(at for at, name in enumerate(COLUMNS) if name.startswith(column))] = cell
    return cells


def mismatch(field, cell, tail, suggestion=None):
    return error("TYPE_MISMATCH", field, tail, suggestion, cell=cell)


def bad_rows():
    """The rows that are not good, and all that is wrong with each."""
    form = "is not a decimal number (1.234,56)"
    early = "a value date cannot be more than 30 days before the booking"
    return {
        6: (broken(6, Buchungstag="30.02.2024"), mismatch("booked", "30.02.2024", "is not a day of the calendar", "29.02.2024")),
        14: (broken(14, Wertstellung="2024/03/05"), mismatch("valued", "2024/03/05", "is not a date (DD.MM.YYYY)", "05.03.2024")),
        22: (broken(22, Betrag="1,234.56"), mismatch("amount", "1,234.56", form, "1234,56")),
        29: (broken(29, Betrag=""), error("REQUIRED", "amount", "a value is required")),
        35: (broken(35, Betrag="0,00"), error("RULE", "amount", "a booking of nothing is none")),
        40: (broken(40, IBAN="DE12 5000"), error("PATTERN_MISMATCH", "iban", r"does not match the pattern ^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$", cell="DE12 5000")),
        49: (broken(49, Währung="USD"), error("NOT_IN_SET", "currency", "is not EUR", cell="USD")),
        57: (broken(57, Wertstellung="01.01.2024"), error("RULE", "valued", early, whole=True)),
        63: (broken(63, Buchungstag="heute", Betrag="siehe oben"), mismatch("booked", "heute", "is not a date (DD.MM.YYYY)"), mismatch("amount", "siehe oben", form)),
        # The export was interrupted, and went on with the next row.
        71: (transaction(71)[0][:4], error("MALFORMED_ROW", None, "the row has 4 cells, the header has 7")),
    }


def write():
    table = Table("bank-transactions", COLUMNS, delimiter=";", line_end="\r\n", encoding="windows-1252")
    table.line('"Umsatzanzeige";"Girokonto für Existenzgründer"')
    table.line('"Zeitraum:";"01.03.2024 - 31.03.2024"')
    table.line('"Kontostand vom 31.03.2024:";"5.482,17 EUR"')
    table.line("")
    table.header(quote_all=True)
    bad = bad_rows()
    for number in range(1, 91):
        if number in bad:
            cells, *errors = bad[number]
            table.bad(cells, *errors, quote_all=True)
        else:
            table.good(*transaction(number), quote_all=True)
    # Below the table: what is no transaction.
    table.skipped('"Summe der Umsätze";"";"";"";"";"12.345,67";"EUR"')
    table.skipped('"* Angaben ohne Gewähr; Stand: 31.03.2024"')
    table.write("transactions.csv")
