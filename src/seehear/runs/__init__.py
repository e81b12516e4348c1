"""Runs: carrying out a run configuration from clips to a page. Called by the command line, the demo and the studies."""
