"""From Hydra experiments to runs, batches and plan files: pure, without torch or pandas."""
