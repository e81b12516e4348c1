"""Things whose state a hand changes, one per file, and the hand: bodies of track I."""
