"""Architectures whose parameters carry a leading axis: one entry per run trained together."""
