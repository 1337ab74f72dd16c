"""A web server as the source of a transfer: an HTTP/1.1 client."""
