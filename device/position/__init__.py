"""position: turns a GPX file into fixes."""
