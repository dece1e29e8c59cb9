"""What crosses a trust boundary between machines: events, envelopes, receipts, sign codes, registers. Pure, no I/O."""
