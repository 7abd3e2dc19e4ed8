"""Where data come from: real image sets, and manifolds of known dimension."""
