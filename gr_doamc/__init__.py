"""GNU Radio blocks of gr-doamc: thin adapters from streams and messages to the library `doamc`.

The chain: ``coupled_array_source``, ``sigmf_source`` or ``krakensdr_source`` (or another radio) -> ``snapshot_buffer``
-> ``doa_estimator`` -> ``zmq_publisher``, ``recorder`` or a Qt sink. Importing this loads neither torch nor scipy, nor
Qt: the estimator does, in its own thread, and a Qt sink when it is made.
"""

from gr_doamc.correction.coupling_corrector import coupling_corrector
from gr_doamc.correction.phase_corrector import phase_corrector
from gr_doamc.estimates.recorder import recorder
from gr_doamc.estimates.zmq_publisher import zmq_publisher
from gr_doamc.inference.correlator import correlator
from gr_doamc.inference.doa_estimator import doa_estimator
from gr_doamc.inference.signal_finder import signal_finder
from gr_doamc.inference.sky_imager import sky_imager
from gr_doamc.runtime.buffers import choose_buffers
from gr_doamc.runtime.flowgraph_life import guard_flowgraphs
from gr_doamc.separation.emitter_separator import emitter_separator
from gr_doamc.snapshots.snapshot_buffer import snapshot_buffer
from gr_doamc.sources.coupled_array_source import coupled_array_source
from gr_doamc.sources.heimdall_source import heimdall_source
from gr_doamc.sources.krakensdr_source import krakensdr_source
from gr_doamc.sources.sigmf_source import sigmf_source
from gr_doamc.views.band_sink import band_sink
from gr_doamc.views.bearing_history_sink import bearing_history_sink
from gr_doamc.views.compass_sink import compass_sink
from gr_doamc.views.coupling_matrix_sink import coupling_matrix_sink

guard_flowgraphs()
choose_buffers()

__all__ = [
    "band_sink",
    "bearing_history_sink",
    "compass_sink",
    "correlator",
    "coupled_array_source",
    "coupling_corrector",
    "coupling_matrix_sink",
    "doa_estimator",
    "emitter_separator",
    "heimdall_source",
    "krakensdr_source",
    "phase_corrector",
    "recorder",
    "sigmf_source",
    "signal_finder",
    "sky_imager",
    "snapshot_buffer",
    "zmq_publisher",
]
