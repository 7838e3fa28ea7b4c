"""The way in: envelopes, contracts, files and tables, quarantine."""
