"""Prediction: statistics, forecasts, patterns and confidence."""
