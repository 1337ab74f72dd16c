"""A host as all its handles share it: the channel to it, the session, and what every call on it keeps to."""
