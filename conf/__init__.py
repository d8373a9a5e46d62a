"""What an operator may write (settings, clients, grants), beside the models that check it."""
