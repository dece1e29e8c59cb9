"""`python -m device.cli.reference`: the parts of the documentation that are written from the code.

A part stands in its page between two markers:

    <!-- begin: NAME (make docs) -->
    <!-- end: NAME -->

What stands around them is written by hand and stays. `--check` writes nothing and only says which parts differ.
"""
