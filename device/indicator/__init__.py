"""indicator: shows verdicts on LED and buzzer, and watches the tamper switch."""
