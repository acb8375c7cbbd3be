"""A result in the forms of other people's boards, one form a file; each is a pure function."""
