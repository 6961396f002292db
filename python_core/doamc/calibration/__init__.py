"""Calibration of the receiver's channels: their gains, phases and delays, and the inverse of the coupling."""

from doamc.calibration.aligner import Aligner
from doamc.calibration.channels import ChannelCalibration, align_channels
from doamc.calibration.correction import correction_matrix, mmse_regularisation
from doamc.calibration.fading import FadingMatrix
from doamc.calibration.files import load_channels, load_coupling, save_channels, save_coupling
from doamc.calibration.lags import channel_lags
from doamc.calibration.reference import REFERENCES, reference_response

__all__ = [
    "REFERENCES",
    "Aligner",
    "ChannelCalibration",
    "FadingMatrix",
    "align_channels",
    "channel_lags",
    "correction_matrix",
    "load_channels",
    "load_coupling",
    "mmse_regularisation",
    "reference_response",
    "save_channels",
    "save_coupling",
]
