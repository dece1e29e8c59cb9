"""The page and the JSON API: no script or style from elsewhere, and nothing is written but acknowledgements."""
