"""Inference over the scene: a learned score proposes, the exact likelihood guides and corrects."""
