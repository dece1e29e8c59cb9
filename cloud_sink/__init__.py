"""The receiver: takes sealed envelopes, opens, checks and stores them, signs receipts, serves a page."""
