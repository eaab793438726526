"""The database, its tables and transactions, and all SQL."""
