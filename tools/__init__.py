"""What `make lint` runs beside the linters of others. No part of the product: nothing imports it, no image holds it."""
