"""The HTTP API: who may use it, what can be asked and what can be booked through it."""
