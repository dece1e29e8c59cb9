"""sealer: signs and seals what the device says, and keeps it until the sink has it."""
