"""One module per figure: ``draw(tables, ...)`` returns the figure and the numbers drawn."""
