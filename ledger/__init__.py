"""The only writer: takes commands, finds duplicates, lets the domain decide, commits as one."""
