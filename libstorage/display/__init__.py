"""Blocks that show values on a terminal and in a notebook. They know no model, and nothing else of libstorage.

Each block has ``text()`` and ``html()`` from one declaration, so the two cannot differ. No block contains a script, an id,
or an address to load from, and every text in it is escaped.
"""
