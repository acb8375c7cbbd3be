"""What lies on the Hub: one folder for each Hub dataset, and what they share.

A folder holds the card (README.md), the columns (features.py) and how a row is made (build.py).
`python -m dataset_cards` writes the generated parts of the cards anew.
"""
