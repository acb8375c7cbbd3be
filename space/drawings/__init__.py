"""The figures, one kind a file: plotly's JSON from the rows of a board or a published table."""
