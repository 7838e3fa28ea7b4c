"""The only readers of the log in order: pages of events become rows, and rows answer queries."""
