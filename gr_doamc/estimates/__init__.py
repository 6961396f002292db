"""Estimates out of the flowgraph: files, ZMQ."""
