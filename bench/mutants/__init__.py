"""Mutation testing: small faults are put into copies of our code, and the tests that run the line must notice.

mutmut 3 was looked at and does not fit: it mutates the bodies of functions only, so constants, tables, constraints of
messages and defaults stay untouched; it has no sample drawn with a seed; it keeps its copies and results in the
checkout; and its operators are not those that hurt a verifier (a dropped `raise`, guard, bound or element).
"""
