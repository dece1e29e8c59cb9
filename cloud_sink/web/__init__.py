"""The page and the JSON API: read-only, without a script or style that is not served from here."""
