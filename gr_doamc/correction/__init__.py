"""Channels put right: phases, coupling."""
