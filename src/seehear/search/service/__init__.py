"""The search page: a service for one person or a small group, made to stand in front of files from strangers."""
