"""From batches to estimates."""
