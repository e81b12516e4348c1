"""Search: a collection embedded, its index, and the page on which it is searched."""
