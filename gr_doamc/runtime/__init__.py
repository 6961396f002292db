"""What blocks share: messages, guards, buffers."""
