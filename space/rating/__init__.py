"""The page where viewers rate pictures; a Gradio page of its own, started by `cmc rate`."""
