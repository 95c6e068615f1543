"""orders: lines of orders that have to agree with themselves, which rules in CEL say."""

from decimal import Decimal

from .table import Raw, Table, error

COLUMNS = ["order_id", "line", "customer", "order_date", "ship_date", "status", "sku", "quantity", "price", "discount", "total"]
PRICES = ["19.99", "4.50", "120.00", "0.35", "7.25", "64.00"]
STATES = ["open", "shipped", "shipped", "cancelled"]
LATE = "the ship date is before the order date"
SUM = "the total is not quantity * price - discount"
SHIPPED = "a shipped line needs a ship date"


def line(number):
    """A good row, and what it becomes."""
    order, place = 5000 + (number - 1) // 3, (number - 1) % 3 + 1
    day = 1 + (number - 1) // 3 % 28
    state = STATES[order % 4]
    shipped = f"2024-05-{min(day + number % 4, 31):02}" if state == "shipped" else ""
    price, quantity = PRICES[number % 6], 1 + number % 7
    gross = Decimal(price) * quantity
    discount = "0.10" if number % 8 == 3 else ""
    total = gross - Decimal(discount or 0)
    cells = [
        f"O-{order}", str(place), f"buyer{order % 9}@example.org", f"2024-05-{day:02}", shipped, state,
        f"AR-{100 + number % 12}", str(quantity), price, discount, str(total),
    ]
    output = {
        "order_id": cells[0],
        "line": Raw(place),
        "customer": cells[2],
        "order_date": cells[3],
        "ship_date": shipped or None,
        "status": state,
        "sku": cells[6],
        "quantity": Raw(quantity),
        "price": Raw(price),
        "discount": Raw(discount or "0"),
        "total": Raw(total),
        "size": "large" if total >= 100 else "small",
        "due": f"2024-{'05' if day == 1 else '06'}-{31 if day == 1 else day - 1:02}",
    }
    return cells, output


def broken(number, **changes):
    """A good row with other cells."""
    cells, _ = line(number)
    for column, cell in changes.items():
        cells[COLUMNS.index(column)] = cell
    return cells


def rule(field, sentence_of_it, severity=None):
    return error("RULE", field, sentence_of_it, whole=True, severity=severity)


def mismatch(field, cell, tail, suggestion=None):
    return error("TYPE_MISMATCH", field, tail, suggestion, cell=cell)


def bad_rows():
    """The rows that are not good, and all that is wrong with each."""
    # Orders 5001, 5002, 5005, 5006, … are shipped: rows 4 to 9, 16 to 21, and so on.
    return {
        5: (broken(5, ship_date="2024-04-30"), rule("ship_date", LATE)),
        8: (broken(8, ship_date=""), rule("ship_date", SHIPPED)),
        14: (broken(14, total="1.00"), rule("total", SUM)),
        # Both at once.
        19: (broken(19, ship_date="2024-01-02", total="99999.00"), rule("ship_date", LATE), rule("total", SUM)),
        # The sum says nothing of a price that is none.
        25: (broken(25, price="4,50"), mismatch("price", "4,50", "is not a decimal number", "4.50")),
        32: (broken(32, quantity="0"), error("OUT_OF_RANGE", "quantity", "is below the minimum 1", cell="0"), rule("total", SUM)),
        41: (broken(41, order_date="2024-02-30"), mismatch("order_date", "2024-02-30", "is not a day of the calendar", "2024-02-29")),
        47: (broken(47, status="send"), error("NOT_IN_SET", "status", "is not one of open, shipped or cancelled", cell="send")),
        55: (broken(55, customer="buyer 5"), mismatch("customer", "buyer 5", "is not an email address")),
        62: (broken(62, order_id=""), error("REQUIRED", "order_id", "a value is required")),
    }


def write():
    table = Table("orders", COLUMNS)
    table.header()
    bad = bad_rows()
    for number in range(1, 91):
        if number in bad:
            cells, *errors = bad[number]
            table.bad(cells, *errors)
        elif number == 77:
            # The number that the line above has, which is a number: 01 is 1.
            twice = f"order_id, line: these values together must be unique, and are in line {table.last_line} already"
            table.bad(broken(77, line="01"), error("DUPLICATE_VALUE", None, twice))
        elif number == 66:
            # More than usual: reported, and accepted all the same.
            cells = broken(66, quantity="5000", price="1.00", discount="", total="5000.00")
            large = {"quantity": Raw(5000), "price": Raw("1.00"), "discount": Raw("0"), "total": Raw("5000.00"), "size": "large"}
            table.good(cells, line(66)[1] | large, [rule("quantity", "more than a thousand pieces in one line", "warning")])
        else:
            table.good(*line(number))
    table.write("orders.csv")
