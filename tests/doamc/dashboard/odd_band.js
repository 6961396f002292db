// What a band's store makes of messages that are none: [counted, signals sent, spectra sent, signals kept, spectra kept].
async () => {
  const { BandStore } = await import("/static/js/band/store.js");
  const about = { name: "x", heading_deg: null, health: {}, spectra: [], signals: [] };
  const store = new BandStore(about, { shown_s: 3, silent_s: 10 });
  const signal = { id: 1, received: 1, frequency_hz: 1, bandwidth_hz: 1, snr_db: 1, start_s: 0, stop_s: 1, sources: [] };
  const signals = [
    null, 7, "x", {}, [], { ...signal, id: "1" }, { ...signal, sources: null }, { ...signal, sources: [null] }, { ...signal, snr_db: null },
    { ...signal, sources: [{ azimuth_deg: "north" }] },
  ];
  const spectrum = { received: 1, low_hz: 0, step_hz: 1, power: "AAA=", floor: null };
  const spectra = [
    null, {}, { ...spectrum, power: "?" }, { ...spectrum, power: "AAAA" }, { ...spectrum, floor: "AAAA" }, { ...spectrum, floor: "AAAAAA==" },
    { ...spectrum, step_hz: 0 }, { ...spectrum, power: 7 }, { ...spectrum, power: "A".repeat(1e6) },
  ];
  for (const view of signals) store.addSignal(view);
  for (const view of spectra) store.addSpectrum(view);
  return [store.odd, signals.length, spectra.length, store.signals.size, store.count];
}
