"""The About tab."""

from pathlib import Path

TEXT = Path(__file__).parent.parent / "texts" / "about.md"


def add_about() -> None:
    """Add the tab to the tabs being built."""
    import gradio as gr

    with gr.Tab("About", id="about"):
        gr.Markdown(TEXT.read_text(encoding="utf-8"), elem_classes="about-page")
