"""Trained models: folder, calibration, predictions."""
