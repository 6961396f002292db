"""The KrakenSDR's XML, as DF-Aggregator reads it."""

from xml.etree import ElementTree

from doamc.estimates.bearing import Bearing, Station

#: PWR is dB above this; the reader drops anything below 10 unless told otherwise
_LEAST_POWER_DB = -100.0


def xml_document(bearing: Bearing, station: Station) -> bytes:
    """The document, UTF-8, in the units of the KrakenSDR.

    TIME in ms, FREQUENCY in MHz. DOA runs counter-clockwise from the array's axis, whose compass bearing is HEADING:
    the reader takes HEADING + 360 - DOA. PWR is dB + 100, at least 0. CONF is the whole number int(100 x confidence):
    the reader gives up a station whose CONF has a decimal point.
    """
    data = ElementTree.Element("DATA")
    for name, text in (
        ("STATION_ID", station.station_id),
        ("TIME", f"{bearing.time_ms}"),
        ("FREQUENCY", f"{bearing.frequency_hz / 1e6:.6f}"),
        ("LOCATION", None),
        ("DOA", f"{bearing.azimuth_deg:.2f}"),
        ("PWR", f"{max(_LEAST_POWER_DB, bearing.power_db) - _LEAST_POWER_DB:.1f}"),
        ("CONF", f"{int(100 * bearing.confidence_db)}"),
        ("LATENCY", f"{bearing.latency_ms:.0f}"),
        ("PROCESSING_TIME", f"{bearing.processing_ms:.0f}"),
        ("NUM_CORRELATED_SOURCES", f"{bearing.n_sources}"),
        ("SNR_DB", "" if bearing.snr_db is None else f"{bearing.snr_db:.1f}"),
    ):
        element = ElementTree.SubElement(data, name)
        element.text = text
        if name == "LOCATION":
            for inner, value in (
                ("LATITUDE", f"{station.latitude:.6f}"),
                ("LONGITUDE", f"{station.longitude:.6f}"),
                ("HEADING", f"{bearing.axis_deg}"),
            ):
                ElementTree.SubElement(element, inner).text = value
    return bytes(ElementTree.tostring(data, encoding="utf-8", xml_declaration=True))
