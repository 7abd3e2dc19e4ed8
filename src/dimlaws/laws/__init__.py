"""Fits with intervals: power laws, and bootstrap over seeds."""
