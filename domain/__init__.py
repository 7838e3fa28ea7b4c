"""The rules of the subledger, pure: no clock, no input or output; ids and times are arguments."""
