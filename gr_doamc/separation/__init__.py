"""The emitters of a scene, each in a stream of its own."""
