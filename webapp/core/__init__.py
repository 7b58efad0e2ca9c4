"""The database: every table of the application."""
