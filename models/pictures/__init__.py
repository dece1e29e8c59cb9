"""Pictures that are made: drawings, rendered roads, foreign signs, augmentation, sheets."""
