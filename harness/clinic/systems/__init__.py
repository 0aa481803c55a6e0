"""The systems of the platform: each its words, its tables, its SQL and its routes; `policy` says who may."""
