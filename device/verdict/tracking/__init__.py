"""From moments to physical signs: faces, code panels, their motion and association, and the signs that are expected."""
