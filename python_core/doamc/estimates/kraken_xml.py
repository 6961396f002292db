"""The KrakenSDR's XML, as DF-Aggregator reads it."""

from xml.etree import ElementTree

from doamc.estimates.bearing import Bearing, Station


def xml_document(bearing: Bearing, station: Station) -> bytes:
    """The document, UTF-8: time in ms, frequency in MHz, DOA clockwise from the array's axis, which HEADING places."""
    data = ElementTree.Element("DATA")
    for name, text in (
        ("STATION_ID", station.station_id),
        ("TIME", f"{bearing.time_ms}"),
        ("FREQUENCY", f"{bearing.frequency_hz / 1e6:.6f}"),
        ("LOCATION", None),
        ("DOA", f"{bearing.clockwise_deg:.2f}"),
        ("PWR", f"{bearing.power_db:.1f}"),
        ("CONF", f"{bearing.confidence_db:.2f}"),
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
                ("HEADING", f"{station.heading_deg:.1f}"),
            ):
                ElementTree.SubElement(element, inner).text = value
    return bytes(ElementTree.tostring(data, encoding="utf-8", xml_declaration=True))
