"""Trained models: their folder, their calibration, their predictions."""
