"""Measures with PostgreSQL and Kafka, both started here, on one machine with everything that is measured.

running    a PostgreSQL and a Kafka of our own, with the settings that they come with
feed       generated documents as messages in a topic
member     a worker process that reads a topic into a ledger, and says how long it took
layers     where its processor time goes
copying    the floor: the same rows by raw binary COPY
ingesting  from Kafka into the ledger, against that floor; processor time a message
callers    many callers of one ledger, against many connections
projecting rebuild of the projections, and ageing as of a past day
delay      from a message to the balance that shows it
growing    the same at a small and at a large log: rate and memory
"""
