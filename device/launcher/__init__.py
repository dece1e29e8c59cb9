"""The command's side of a run: starts warden and dialer, records what the device says, and shows how far it is."""
