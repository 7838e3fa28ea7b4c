"""Names that stand in the contract: topics, and the headers of dead letters."""

from typing import Final

COMMANDS: Final = "tieout.commands"
"""Where commands come in, unless the settings name other topics."""
DEAD_LETTERS: Final = "tieout.commands.dead"
"""Where copies go of what came from Kafka and stands in quarantine."""

ORIGINAL_TOPIC: Final = "tieout-original-topic"
ORIGINAL_PARTITION: Final = "tieout-original-partition"
ORIGINAL_OFFSET: Final = "tieout-original-offset"
ERROR_CODE: Final = "tieout-error-code"
ERROR_FIELD: Final = "tieout-error-field"
REASON: Final = "tieout-reason"
ATTEMPTS: Final = "tieout-attempts"
QUARANTINE_ID: Final = "tieout-quarantine-id"
