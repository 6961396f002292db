"""What programs that exchange estimates agree on: topics, schemas of messages, and where a publisher is found."""

ESTIMATE_TOPIC = "doamc.estimate"
STATUS_TOPIC = "doamc.status"
TRUTH_TOPIC = "doamc.truth"
SIGNAL_TOPIC = "doamc.signal"
SPECTRUM_TOPIC = "doamc.spectrum"
WAVEFORMS_TOPIC = "doamc.waveforms"
SKY_TOPIC = "doamc.sky"

ESTIMATE_SCHEMA = f"{ESTIMATE_TOPIC}/1"
STATUS_SCHEMA = f"{STATUS_TOPIC}/1"
TRUTH_SCHEMA = f"{TRUTH_TOPIC}/1"
SIGNAL_SCHEMA = f"{SIGNAL_TOPIC}/1"
SPECTRUM_SCHEMA = f"{SPECTRUM_TOPIC}/1"
WAVEFORMS_SCHEMA = f"{WAVEFORMS_TOPIC}/1"
SKY_SCHEMA = f"{SKY_TOPIC}/1"
#: of places of emitters, in files
POSITION_SCHEMA = "doamc.position/1"
#: of integrations between blocks; too large for every reader of a publisher
VISIBILITIES_SCHEMA = "doamc.visibilities/1"

#: where a publisher binds and a subscriber connects unless told otherwise
DEFAULT_ADDRESS = "tcp://127.0.0.1:5577"
