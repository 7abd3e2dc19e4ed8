"""The pages that a reader opens: the scoreboard, then one page a chapter."""
