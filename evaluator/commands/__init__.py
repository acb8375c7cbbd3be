"""The commands of `cmc`, one a file; light to import, so that `cmc --help` is quick."""
