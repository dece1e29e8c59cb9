"""From weights to the signed files that are shipped."""
