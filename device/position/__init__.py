"""position: turns a position source into fixes."""
