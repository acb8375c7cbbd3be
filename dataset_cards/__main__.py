"""`python -m dataset_cards`: write the generated parts of the cards anew."""

from dataset_cards.cards import render_card
from dataset_cards.catalogue import DATASETS
from dataset_cards.layout import CARD
from protocol.files import write_whole


def main() -> None:
    """Write every card."""
    for dataset in DATASETS.values():
        write_whole(dataset.folder / CARD, render_card(dataset).encode())


if __name__ == "__main__":
    main()
