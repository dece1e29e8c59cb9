"""What comes in, put in order: a timeline of moments, the cross-check of the two readers, and the vehicle's route."""
