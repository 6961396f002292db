// Feeds a band of its own to the plots and the table of the page "Band", as fast as it goes; `window.feed(slices)`.
async () => {
  const from = (name) => import(`/static/js/band/${name}.js`);
  const { BandStore } = await from("store"), { SpectrumPlot } = await from("spectrum"), { BandWaterfall } = await from("waterfall");
  const { Panorama } = await from("panorama"), { FrequencyAxis } = await from("axis"), { SignalTable } = await from("table");
  const { Following } = await from("following"), { Convention } = await import("/static/js/angles.js");
  const about = { name: "x", heading_deg: 0, health: {}, spectra: [], signals: [] };
  const store = new BandStore(about, { shown_s: 3, silent_s: 10 });
  const axis = new FrequencyAxis(), convention = new Convention("compass", 0, -180), followed = new Following();
  const canvas = (name) => document.getElementById(name);
  const spectrum = new SpectrumPlot(canvas("spectrum")), waterfall = new BandWaterfall(canvas("fall")), panorama = new Panorama(canvas("panorama"));
  const table = new SignalTable(document.getElementById("signals"), () => {});
  const bins = 384, step_hz = 6250, low_hz = 4e8, levels = new Int16Array(bins);
  let slice = 0;
  window.feed = (count) => {
    for (let k = 0; k < count; k++, slice++) {
      for (let i = 0; i < bins; i++) levels[i] = -950 + ((i * 7919 + slice * 104729) % 60);
      const power = btoa(String.fromCharCode(...new Uint8Array(levels.buffer))), received = slice / 20;
      store.addSpectrum({ received, low_hz, step_hz, resolution_hz: step_hz, power, floor: power, clipped: 0, dropped_slices: 0 });
      for (let s = 0; s < 16; s++) { // each signal lasts twenty slices; numbers are never used again
        const sources = [{ azimuth_deg: (s * 20 + slice) % 180, std_deg: 1, interval_deg: null, track: s + 1 }];
        const about = { frequency_hz: low_hz + s * 1e5, bandwidth_hz: 12e3, snr_db: 9, start_s: 0, stop_s: 1, heading_deg: 0 };
        store.addSignal({ id: Math.floor(slice / 20) * 16 + s, received, ...about, sources });
      }
      if (slice % 40) continue;
      axis.span(low_hz, low_hz + bins * step_hz, step_hz);
      const signals = store.current(received), scene = { store, axis, convention, signals, followed, pointer: null };
      spectrum.draw(scene, "");
      waterfall.draw(scene, received);
      panorama.draw(scene, received);
      table.show(signals, convention, followed, "");
    }
    return [store.signals.size, store.trail.count, store.rows.length];
  };
}
