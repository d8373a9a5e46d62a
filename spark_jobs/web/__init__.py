"""Fetching: many URLs with one libcurl, politely, within bounds, and never from where it must not.

The way of a request: fetch.py begins it when there is a place for it and ends it in time, hops.py says where it may
lead, client.py has libcurl ask, with names.py and addresses.py for what may be connected to, transfer.py takes what
comes, by head.py and encodings.py, attempt.py says what it is worth, failure.py what a fault means, and retry.py
whether it is asked again. places.py and clock.py say how many may be under way, how much they may hold, and whose time
that takes. All of it happens in the caller's thread, while the caller waits for an answer.
"""
