"""``tieout worker``: parts that work on for ever, each in a thread of its own, in one process.

parts        which parts there are, and which of them the settings allow
consuming    Kafka → ledger, and quarantine → dead letters
projecting   log → projections
publishing   log → Kafka
pulse        what a part and its supervisor tell each other
supervising  a part's thread: starting it again when it has failed
measuring    where log, projections and publishing stand, as metrics
health       /healthz, /readyz, /metrics
running      the process: signals, start and end
"""
