"""`python3 -m tests.examples`, at the top of the repository, writes all of them again."""

from . import bank_transactions, contacts, orders, products, sensor_readings

for example in (contacts, products, bank_transactions, sensor_readings, orders):
    example.write()
