"""Actions of workflows: tables by name -> one table."""
