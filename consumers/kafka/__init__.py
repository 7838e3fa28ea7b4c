"""Commands and other systems' messages from Kafka into the ledger, and what could not be booked back to it.

topics       names of topics, and of the headers of dead letters
client       how a consumer and a producer are made
positions    where reading has got to, in our own database, and what a position means
messages     one record → entries of a batch: our contracts, or an adapter's
assignment   which partitions are ours, and which of them stand where our database says
loop         poll, book, again
parked       messages whose lane is free again
backoff      how long to wait before another try
lag          how far behind, asked from outside
metrics      numbers for operation
dead_letters quarantine → the dead-letter topic
"""
