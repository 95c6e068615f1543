"""The end-to-end tests; tests/e2e.py runs them."""
