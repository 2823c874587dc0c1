"""Knobs: what holds a treatment on, step by step; actions turn them."""
