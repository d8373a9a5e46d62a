"""Fetching: many URLs with one async client, politely, within bounds, and never from where it must not.

The way of a request: fetch.py hands it to the event loop, retry.py makes attempts, attempt.py follows one attempt
through its redirects, client.py and addresses.py say what may be connected to, failure.py what a fault means, and
places.py how many may be under way and how much they may hold.
"""
