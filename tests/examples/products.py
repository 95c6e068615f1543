"""products: a price list with exact prices, categories, tags and bar codes."""

from .table import Raw, Table, error

COLUMNS = ["SKU", "EAN", "Product Name", "Category", "Tags", "Price", "Stock", "Weight (kg)", "Product Page", "Discontinued"]
THINGS = [
    ("Claw Hammer", "Tools", ["steel", "new"]),
    ("Garden Hose 20 m", "Garden", ["outdoor"]),
    ("Chef's Knife", "Kitchen", ["steel", "sale"]),
    ('Monitor Arm 27"', "Office", []),
    ("Wooden Blocks, 50 pcs", "Toys", ["wood", "new", "outdoor"]),
    ("Cordless Drill", "Tools", ["sale"]),
    ("Rain Barrel", "Garden", ["outdoor", "sale"]),
    ("Espresso Machine", "Kitchen", ["steel"]),
]
# As they stand in the file, and exactly as they have to arrive: every digit stays.
PRICES = [("19.90", "19.90"), ("24.50", "24.50"), ("1,299.00", "1299.00"), ("89", "89"), ("0.99", "0.99"), ("12,345.5", "12345.5")]
STOCKS = [("12", "12"), ("0", "0"), ("1,500", "1500"), ("n/a", "0"), ("", "0")]
WEIGHTS = [("0.65", "0.65"), ("unknown", None), ("2.5", "2.5"), ("-", None), ("14.25", "14.25")]
EAN_SENTENCE = "the last digit of the EAN does not go with the others"


def ean(number):
    """An EAN-13 in the range that GS1 leaves to everybody's own use (200 to 299)."""
    digits = f"2000{number * 7919 % 100_000_000:08}"
    total = sum(int(digit) * (3 if at % 2 else 1) for at, digit in enumerate(digits))
    return digits + str(-total % 10)


def product(number):
    """A good row, and what it becomes."""
    thing, category, tags = THINGS[number % 8]
    price, exact = PRICES[number % 6]
    stock, pieces = STOCKS[number % 5]
    weight, kilos = WEIGHTS[number % 5]
    code = ean(number)
    shown = f"{code[0]} {code[1:7]} {code[7:]}" if number % 3 == 0 else code
    gone = "2023-06-30" if number % 9 == 0 else ("9999-12-31" if number % 2 else "")
    sku = f"{category[:2].upper()}-{1000 + number}"
    cells = [
        sku,
        shown,
        f" {thing} " if number % 4 == 0 else thing,
        category.lower() if number % 3 == 1 else category,
        " | ".join(tags) + ("|" if number % 10 == 4 else ""),
        price,
        stock,
        weight,
        f"https://shop.example.com/p/{sku.lower()}",
        gone,
    ]
    output = {
        "sku": sku,
        "ean": code,
        "name": thing,
        "category": category,
        "tags": tags or None,
        "price": Raw(exact),
        "stock": Raw(pieces),
        "weight": None if kilos is None else Raw(kilos),
        "url": f"https://shop.example.com/p/{sku.lower()}",
        "discontinued": "2023-06-30" if number % 9 == 0 else None,
    }
    return cells, output


def broken(number, **changes):
    """A good row with other cells."""
    cells, _ = product(number)
    for column, cell in changes.items():
        cells[next(at for at, name in enumerate(COLUMNS) if column in name)] = cell
    return cells


def mismatch(field, cell, tail, suggestion=None):
    return error("TYPE_MISMATCH", field, tail, suggestion, cell=cell)


def bad_rows():
    """The rows that are not good, and all that is wrong with each."""
    other = ean(12)
    wrong = other[:-1] + str((int(other[-1]) + 1) % 10)
    low = error("OUT_OF_RANGE", "price", "is below the minimum 0.01", cell="0.00")
    return {
        5: (broken(5, SKU="to-1005"), error("PATTERN_MISMATCH", "sku", r"does not match the pattern ^[A-Z]{2}-\d{4}$", cell="to-1005")),
        12: (broken(12, EAN=wrong), error("RULE", "ean", EAN_SENTENCE)),
        17: (broken(17, EAN="4.00638E+12"), error("PATTERN_MISMATCH", "ean", "write the 13 digits of the EAN (a spreadsheet may have rounded them)")),
        21: (broken(21, Name=" "), error("REQUIRED", "name", "a value is required")),
        26: (broken(26, Category="Kitchn"), error("NOT_IN_SET", "category", "is not one of Tools, Garden, Kitchen, Office or Toys", "Kitchen", cell="Kitchn")),
        33: (broken(33, Tags="steel|sael"), error("NOT_IN_SET", "tags", 'item 2, "sael", is none of the values allowed: new, sale, steel, wood, outdoor', "sale")),
        38: (broken(38, Price="1.299,00"), mismatch("price", "1.299,00", "is not a decimal number (1,234.56)", "1299.00")),
        44: (broken(44, Price="19.995"), mismatch("price", "19.995", "has more than 2 digits after the point")),
        47: (broken(47, Price="0.00"), low),
        52: (broken(52, Price=""), error("REQUIRED", "price", "a value is required")),
        58: (broken(58, Stock="a few"), mismatch("stock", "a few", "is not a whole number (1,234)")),
        63: (broken(63, Weight="2,5 kg"), mismatch("weight", "2,5 kg", "is not a number")),
        66: (broken(66, Price="call us", Stock="-3"), mismatch("price", "call us", "is not a decimal number (1,234.56)"),
             error("OUT_OF_RANGE", "stock", "is below the minimum 0", cell="-3")),
    }


def write():
    table = Table("products", COLUMNS)
    table.header()
    bad = bad_rows()
    for number in range(1, 81):
        if number in bad:
            cells, *errors = bad[number]
            table.bad(cells, *errors)
        elif number == 70:
            # Thousands without the quotes that their comma needs: one cell too many.
            cells = product(70)[0]
            cells[5:6] = ["1", "299.00"]
            cells[-1] = "2025-01-31"
            wide = error("MALFORMED_ROW", None, "the row has 11 cells, the header has 10")
            table.bad(cells, wide, text=",".join(cells))
        elif number == 74:
            # The last two cells were cut off: they are empty.
            cells, output = product(74)
            del cells[8:]
            table.good(cells, output | {"url": None, "discontinued": None})
        else:
            table.good(*product(number))
    table.write("products.csv")
