"""A Measurement Set of one channel and one polarisation, by casacore, for programs of others."""

import numpy as np

C = 299_792_458.0
FREQUENCY_HZ = C  # a wavelength of a metre: uvw in metres are wavelengths


def write_measurement_set(path, uvw, values, weights):
    """Baselines uvw (M, 3) in wavelengths with visibilities (M,) and weights (M,), phase centre 0 h, 45 deg.

    uvw are turned round: WSClean takes V for the sum over I exp(+2 pi i (u l + v m)). Its images have l falling from
    left to right, as east is to the left.
    """
    from casacore.tables import default_ms, makearrcoldesc, table

    count, antennas = len(uvw), 2
    with default_ms(path) as ms:
        shape = [1, 1]
        ms.addcols(makearrcoldesc("DATA", 0.0 + 0j, shape=shape, valuetype="complex"))
        ms.addrows(count)
        ms.putcol("UVW", -np.asarray(uvw, float))
        ms.putcol("DATA", np.asarray(values, np.complex64).reshape(-1, 1, 1))
        ms.putcol("FLAG", np.zeros((count, 1, 1), bool))
        ms.putcol("WEIGHT", np.asarray(weights, np.float32).reshape(-1, 1))
        ms.putcol("SIGMA", np.asarray(weights, np.float32).reshape(-1, 1) ** -0.5)
        ms.putcol("ANTENNA1", np.zeros(count, np.int32))
        ms.putcol("ANTENNA2", np.ones(count, np.int32))
        for name in ("TIME", "TIME_CENTROID"):
            ms.putcol(name, np.full(count, 5e9) + np.arange(count))
        for name in ("EXPOSURE", "INTERVAL"):
            ms.putcol(name, np.ones(count))
        for name in ("DATA_DESC_ID", "FIELD_ID", "OBSERVATION_ID", "ARRAY_ID", "SCAN_NUMBER", "PROCESSOR_ID"):
            ms.putcol(name, np.zeros(count, np.int32))

    def fill(name, rows, **columns):
        with table(f"{path}/{name}", readonly=False, ack=False) as sub:
            sub.addrows(rows)
            for key, value in columns.items():
                for row in range(rows):
                    sub.putcell(key, row, value[row] if isinstance(value, list) else value)

    one = np.array([FREQUENCY_HZ])
    fill("SPECTRAL_WINDOW", 1, NUM_CHAN=1, REF_FREQUENCY=FREQUENCY_HZ, CHAN_FREQ=one, CHAN_WIDTH=one * 1e-3,
         EFFECTIVE_BW=one * 1e-3, RESOLUTION=one * 1e-3, TOTAL_BANDWIDTH=FREQUENCY_HZ * 1e-3)  # fmt: skip
    fill("POLARIZATION", 1, NUM_CORR=1, CORR_TYPE=np.array([1], np.int32), CORR_PRODUCT=np.zeros((1, 2), np.int32))
    fill("DATA_DESCRIPTION", 1, SPECTRAL_WINDOW_ID=0, POLARIZATION_ID=0)
    where = np.array([[0.0, np.pi / 4]])
    fill("FIELD", 1, NAME="sky", DELAY_DIR=where, PHASE_DIR=where, REFERENCE_DIR=where)
    fill("ANTENNA", antennas, NAME=["a", "b"], STATION=["a", "b"], DISH_DIAMETER=25.0,
         POSITION=[np.array([3.8e6, 0.0, 5.1e6]), np.array([3.8e6, 100.0, 5.1e6])])  # fmt: skip
    fill("OBSERVATION", 1, TELESCOPE_NAME="VLA", TIME_RANGE=np.array([5e9, 5e9 + count]))
