"""Runs: everything with effects, from data and an encoder to the folder of a trained model."""
