"""PostgreSQL's frontend/backend protocol, version 3."""
