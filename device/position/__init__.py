"""position: turns a track file, GPX or NMEA 0183, into fixes."""
