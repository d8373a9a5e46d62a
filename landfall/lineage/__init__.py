"""Where a client's data comes from and goes to: its feeds, their stages, tables, actions of workflows, marts."""
