"""Model versions on a disk or in object storage."""
