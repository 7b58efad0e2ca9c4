"""NAScope: neural architecture search that you can watch."""
