"""Sign panels to print and the rig that renders drives past them."""
