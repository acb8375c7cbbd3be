"""Making, checking and publishing the Hub datasets of `dataset_cards`."""
