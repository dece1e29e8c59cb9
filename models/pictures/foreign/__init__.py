"""Signs outside the classes, drawn: what the classifier must refuse."""
