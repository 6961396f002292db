"""What emitters send: complex baseband of many kinds, and a network that knows them, the prior over waveforms."""
