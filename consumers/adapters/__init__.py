"""Adapters: what other systems send, in their own words, becomes entries of a batch."""
