"""Estimates in windows of Qt."""
