"""The way out: our own events on Kafka, by a contract of their own, apart from how events are stored."""
