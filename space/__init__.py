"""The leaderboard page: it shows records and computes no score."""
