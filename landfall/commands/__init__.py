"""The commands, one file a group: thin over the packages beneath, which each imports when it runs."""
