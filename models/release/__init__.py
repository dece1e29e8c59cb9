"""From weights to the files that are shipped."""
