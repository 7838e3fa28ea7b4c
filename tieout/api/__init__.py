"""The HTTP API: answers and commands for billing, finance and audit tools.

A request goes through ``outer`` (request id, log, limits), ``permits`` (who may), a route, and ``service``: one writer,
a pool of readers and a follower of the log for each process.
"""
