"""From streams to batches of snapshots."""
