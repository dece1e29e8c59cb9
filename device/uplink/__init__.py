"""uplink: carries sealed bytes to the one broker and receipts back; can read no envelope and forge no receipt."""
