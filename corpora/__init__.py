"""What data is: schema, readers, writers, filters, metrics, report and card."""
