"""Judging: a claim, the quantity that it names, and the verdict on the measured runs."""
