"""The likelihood, the Metropolis walk and Fisher scoring as compiled loops, for the CPU.

A step of the walk is a few hundred multiplications a chain; as tensor operations nearly all of its time is spent on
calling them. These loops compute what `likelihood`, `metropolis.random_walk` and `localise.climb` do, which stay the
reference, run on other devices, and are what the tests compare with. All kernels stand in one file because numba's
cache does not notice when a kernel of another file changes. Everything is float64; one observation at a time.

Chart coordinates are [log amplitude (P), flat coupling (F), log noise (0 or 1), azimuth and wrapping coupling].
"""

import math
from typing import Any, NamedTuple

import numba
import numpy as np

compiled = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz", "arcp"})


class Model(NamedTuple):
    """Constants of a chart. steer: (N, 2) 2 pi x and 2 pi y; even: whether it is an even line from the origin.

    mean (N, J N), patterns (K', N, J N) complex.
    places: first index of amplitude, flat, noise, azimuth, wrapping and correlation coordinates (angles, phases).
    n_pairs: of sources that may be coherent, 0 where none may.
    gap: cosine of the least separation on a circle, else the separation in rad; circle: whether it is one.
    """

    steer: Any
    even: bool
    mean: Any
    patterns: Any
    hermitian: bool
    normal: bool
    n_sources: int
    n_flat: int
    n_pairs: int
    unknown_noise: bool
    places: Any
    low: Any
    high: Any
    n_box: int
    gap: float
    circle: bool


@compiled
def _steering(model: Any, x: Any, a_re: Any, a_im: Any) -> None:
    """Amplitude times extended steering vectors into a (J N, P, S); powers of one factor on an even line."""
    n, wide = model.mean.shape
    blocks, chains = wide // n, x.shape[1]
    w_re, w_im = np.empty(chains), np.empty(chains)
    for p in range(model.n_sources):
        amplitude, azimuth = x[model.places[0] + p], x[model.places[3] + p]
        for s in range(chains):
            size = math.exp(amplitude[s])
            cosine, sine = math.cos(azimuth[s]), math.sin(azimuth[s])
            for m in range(1 if model.even else n):
                phase = model.steer[m, 0] * cosine + model.steer[m, 1] * sine
                a_re[m, p, s] = size * math.cos(phase)
                a_im[m, p, s] = size * math.sin(phase)
            if model.even:
                phase = model.steer[1, 0] * cosine + model.steer[1, 1] * sine
                w_re[s], w_im[s] = math.cos(phase), math.sin(phase)
        for m in range(1, n if model.even else 1):
            for s in range(chains):
                a_re[m, p, s] = a_re[m - 1, p, s] * w_re[s] - a_im[m - 1, p, s] * w_im[s]
                a_im[m, p, s] = a_re[m - 1, p, s] * w_im[s] + a_im[m - 1, p, s] * w_re[s]
        for j in range(1, blocks):
            order = (j + 1) // 2
            for s in range(chains):
                angle = order * azimuth[s]
                g = math.cos(angle) if j % 2 else math.sin(angle)
                for m in range(n):
                    a_re[j * n + m, p, s] = g * a_re[m, p, s]
                    a_im[j * n + m, p, s] = g * a_im[m, p, s]


@compiled
def _coefficients(model: Any, x: Any, c_re: Any, c_im: Any) -> None:
    """Coefficients of the patterns into c (K', S)."""
    flat = model.n_flat
    for k in range(flat):
        size = x[model.places[1] + k]
        if model.normal:
            c_re[k] = size
            c_im[k] = 0.0
            continue
        phase = x[model.places[4] + k]
        for s in range(x.shape[1]):
            c_re[k, s] = size[s] * math.cos(phase[s])
            c_im[k, s] = size[s] * math.sin(phase[s])
        if model.hermitian:
            c_re[flat + k] = c_re[k]
            c_im[flat + k] = -c_im[k]


@compiled
def _response(model: Any, c_re: Any, c_im: Any, a_re: Any, a_im: Any, v_re: Any, v_im: Any) -> None:
    """V = (mean + sum_k c_k B_k) a into v (N, P, S)."""
    n, wide = model.mean.shape
    chains = a_re.shape[2]
    e_re, e_im = np.empty(chains), np.empty(chains)
    v_re[:] = 0.0
    v_im[:] = 0.0
    for i in range(n):
        for j in range(wide):
            own = model.mean[i, j]
            some = own != 0
            e_re[:] = own.real
            e_im[:] = own.imag
            for k in range(model.patterns.shape[0]):
                b = model.patterns[k, i, j]
                if b == 0:
                    continue
                some = True
                if model.normal:  # real coefficients
                    for s in range(chains):
                        e_re[s] += c_re[k, s] * b.real
                        e_im[s] += c_re[k, s] * b.imag
                    continue
                for s in range(chains):
                    e_re[s] += c_re[k, s] * b.real - c_im[k, s] * b.imag
                    e_im[s] += c_re[k, s] * b.imag + c_im[k, s] * b.real
            if not some:
                continue
            for p in range(model.n_sources):
                for s in range(chains):
                    v_re[i, p, s] += e_re[s] * a_re[j, p, s] - e_im[s] * a_im[j, p, s]
                    v_im[i, p, s] += e_re[s] * a_im[j, p, s] + e_im[s] * a_re[j, p, s]


@compiled
def _factor(model: Any, x: Any, s: int, gamma: Any) -> None:
    """Factor Gamma of the sources' correlation (see `coherence`) of chain s into gamma (P, P)."""
    gamma[:] = 0.0
    index = 0
    for p in range(model.n_sources):
        left = 1.0
        for q in range(p):
            angle, phase = x[model.places[5] + index, s], x[model.places[6] + index, s]
            gamma[p, q] = left * math.sin(angle) * complex(math.cos(phase), math.sin(phase))
            left *= math.cos(angle)
            index += 1
        gamma[p, p] = left


@compiled
def _mix(model: Any, x: Any, v_re: Any, v_im: Any) -> None:
    """V Gamma in place of V (N, P, S)."""
    n, p_n, chains = v_re.shape
    gamma = np.empty((p_n, p_n), np.complex128)
    for s in range(chains):
        _factor(model, x, s, gamma)
        for i in range(n):
            for q in range(p_n):  # column q takes from p >= q, which are not yet overwritten
                total = 0j
                for p in range(q, p_n):
                    total += complex(v_re[i, p, s], v_im[i, p, s]) * gamma[p, q]
                v_re[i, q, s] = total.real
                v_im[i, q, s] = total.imag


@compiled
def log_density(model: Any, covariance: Any, count: float, log_noise: float, x: Any, out: Any) -> None:
    """Log likelihood and normal prior of chains x (d, S) into out (S); log_noise is read where the noise is known."""
    n, wide = model.mean.shape
    p_n, chains = model.n_sources, x.shape[1]
    a_re, a_im = np.empty((wide, p_n, chains)), np.empty((wide, p_n, chains))
    c_re, c_im = np.empty((model.patterns.shape[0], chains)), np.empty((model.patterns.shape[0], chains))
    v_re, v_im = np.empty((n, p_n, chains)), np.empty((n, p_n, chains))
    _steering(model, x, a_re, a_im)
    _coefficients(model, x, c_re, c_im)
    _response(model, c_re, c_im, a_re, a_im, v_re, v_im)
    if model.n_pairs:
        _mix(model, x, v_re, v_im)
    w_re, w_im = np.zeros((n, p_n, chains)), np.zeros((n, p_n, chains))
    for i in range(n):
        for j in range(n):
            r = covariance[i, j]
            for p in range(p_n):
                for s in range(chains):
                    w_re[i, p, s] += r.real * v_re[j, p, s] - r.imag * v_im[j, p, s]
                    w_im[i, p, s] += r.real * v_im[j, p, s] + r.imag * v_re[j, p, s]
    gram = np.zeros((4, p_n, p_n, chains))  # V^H V and V^H Rhat V, real and imaginary parts
    for p in range(p_n):
        for q in range(p_n):
            for i in range(n):
                for s in range(chains):
                    vr, vi = v_re[i, p, s], v_im[i, p, s]
                    gram[0, p, q, s] += vr * v_re[i, q, s] + vi * v_im[i, q, s]
                    gram[1, p, q, s] += vr * v_im[i, q, s] - vi * v_re[i, q, s]
                    gram[2, p, q, s] += vr * w_re[i, q, s] + vi * w_im[i, q, s]
                    gram[3, p, q, s] += vr * w_im[i, q, s] - vi * w_re[i, q, s]
    total = 0.0
    for i in range(n):
        total += covariance[i, i].real
    m, q2 = np.empty((p_n, p_n), np.complex128), np.empty((p_n, p_n), np.complex128)
    for s in range(chains):
        noise = x[model.places[2], s] if model.unknown_noise else log_noise
        s2 = math.exp(noise)
        for p in range(p_n):
            for q in range(p_n):
                m[p, q] = complex(gram[0, p, q, s], gram[1, p, q, s])
                q2[p, q] = complex(gram[2, p, q, s], gram[3, p, q, s])
            m[p, p] += s2
        log_det, trace = _eliminate(m, q2)
        prior = 0.0
        if model.normal:
            for k in range(model.n_flat):
                prior -= 0.5 * x[model.places[1] + k, s] ** 2
        out[s] = prior - count * (log_det + (n - p_n) * noise + (total - trace) / s2)


@compiled
def _eliminate(m: Any, q: Any) -> tuple[float, float]:
    """log det M and tr(M^-1 Q) of Hermitian M and Q, both overwritten: elimination of one source after the other."""
    p_n = m.shape[0]
    log_det, trace = 0.0, 0.0
    for k in range(p_n):
        pivot = m[k, k].real
        log_det += math.log(pivot)
        head = q[k, k].real
        trace += head / pivot
        for i in range(k + 1, p_n):
            column = m[i, k] / pivot
            for j in range(k + 1, p_n):
                row = np.conj(m[j, k] / pivot)
                q[i, j] += head * column * row - column * q[k, j] - row * q[i, k]
        for i in range(k + 1, p_n):
            column = m[i, k] / pivot
            for j in range(k + 1, p_n):
                m[i, j] -= column * np.conj(m[j, k])
    return log_det, trace


@compiled
def _inside(model: Any, x: Any, s: int) -> bool:
    """Whether chain s of x (d, S) lies in the box with its azimuths apart."""
    for i in range(model.n_box):
        if not model.low[i] <= x[i, s] <= model.high[i]:
            return False
    first = model.places[3]
    for p in range(model.n_sources):
        for q in range(p):
            apart = x[first + p, s] - x[first + q, s]
            if model.circle:
                if not math.cos(apart) < model.gap:
                    return False
            elif not abs(apart) > model.gap:
                return False
    return True


@compiled
def posterior_of(model: Any, covariance: Any, count: Any, log_noise: Any, x: Any, out: Any) -> None:
    """Log posterior of x (B, d, S) into out (B, S): -inf outside the prior's support."""
    for b in range(x.shape[0]):
        log_density(model, covariance[b], count[b], log_noise[b], x[b], out[b])
        for s in range(x.shape[2]):
            if not _inside(model, x[b], s):
                out[b, s] = -np.inf


@compiled
def walk(
    model: Any, covariance: Any, count: Any, log_noise: Any, x: Any, value: Any, roots: Any, normal: Any, leaps: Any,
    factors: Any, pairs: Any, log_uniform: Any, kept: Any, accepted: Any,
) -> None:  # fmt: skip
    """Metropolis walk in place on x (B, d, S) and value (B, S); the last states go to kept (B, d, keep, S).

    roots (B, S, d, d) lower; normal (T, d, S) increments before them; leaps (T,) index of a leap or -1, with factors
    and pairs (leaps, 2, S): a leap is a factor times the difference of the starts of two chains.
    """
    b_n, d, chains = x.shape
    steps, keep = normal.shape[0], kept.shape[2]
    new, fresh = np.empty((d, chains)), np.empty(chains)
    for b in range(b_n):
        now, level, start = x[b], value[b], x[b].copy()
        for t in range(steps):
            if leaps[t] >= 0:
                first, second = pairs[leaps[t]]
                for i in range(d):
                    for s in range(chains):
                        new[i, s] = now[i, s] + factors[leaps[t]] * (start[i, first[s]] - start[i, second[s]])
            else:
                for s in range(chains):
                    for i in range(d):
                        move = 0.0
                        for j in range(d):  # factors need not be triangular
                            move += roots[b, s, i, j] * normal[t, j, s]
                        new[i, s] = now[i, s] + move
            log_density(model, covariance[b], count[b], log_noise[b], new, fresh)
            for s in range(chains):
                ok = log_uniform[t, s] < fresh[s] - level[s] and _inside(model, new, s)
                if ok:
                    level[s] = fresh[s]
                    for i in range(d):
                        now[i, s] = new[i, s]
                if t >= steps - keep:
                    accepted[b, s] += ok
                    for i in range(d):
                        kept[b, i, t - steps + keep, s] = now[i, s]


@compiled
def information(model: Any, covariance: Any, count: float, log_noise: float, x: Any, gradient: Any, f: Any) -> None:
    """Gradient (d,) of the log density and Fisher information (d, d) with the normal prior's precision at x (d, 1)."""
    n, wide = model.mean.shape
    p_n, flat, d = model.n_sources, model.n_flat, x.shape[0]
    k_n = model.patterns.shape[0]
    a_re, a_im = np.empty((wide, p_n, 1)), np.empty((wide, p_n, 1))
    c_re, c_im = np.empty((k_n, 1)), np.empty((k_n, 1))
    _steering(model, x, a_re, a_im)
    _coefficients(model, x, c_re, c_im)
    a, da = np.empty((wide, p_n), np.complex128), np.empty((wide, p_n), np.complex128)
    for p in range(p_n):
        azimuth = x[model.places[3] + p, 0]
        for j in range(wide // n):
            order = (j + 1) // 2
            g = 1.0 if j == 0 else math.cos(order * azimuth) if j % 2 else math.sin(order * azimuth)
            slope = order * (-math.sin(order * azimuth) if j % 2 else math.cos(order * azimuth))
            for m in range(n):
                turn = model.steer[m, 1] * math.cos(azimuth) - model.steer[m, 0] * math.sin(azimuth)
                plain = complex(a_re[m, p, 0], a_im[m, p, 0])
                a[j * n + m, p] = g * plain
                da[j * n + m, p] = (slope + 1j * turn * g) * plain
    moved = np.zeros((k_n, n, p_n), np.complex128)  # B_k a
    v, dv = np.zeros((n, p_n), np.complex128), np.zeros((n, p_n), np.complex128)
    for i in range(n):
        for j in range(wide):
            e = model.mean[i, j]
            for k in range(k_n):
                b = model.patterns[k, i, j]
                if b == 0:
                    continue
                e += complex(c_re[k, 0], c_im[k, 0]) * b
                for p in range(p_n):
                    moved[k, i, p] += b * a[j, p]
            if e == 0:
                continue
            for p in range(p_n):
                v[i, p] += e * a[j, p]
                dv[i, p] += e * da[j, p]
    slopes = np.zeros((d, n, p_n), np.complex128)  # dV by each coordinate; none by the noise
    for p in range(p_n):
        slopes[model.places[0] + p, :, p] = v[:, p]
        slopes[model.places[3] + p, :, p] = dv[:, p]
    for k in range(flat):
        if model.normal:
            slopes[model.places[1] + k] = moved[k]
            continue
        size, phase = x[model.places[1] + k, 0], x[model.places[4] + k, 0]
        unit = complex(math.cos(phase), math.sin(phase))
        slopes[model.places[1] + k] = unit * moved[k]
        slopes[model.places[4] + k] = 1j * size * unit * moved[k]
        if model.hermitian:
            slopes[model.places[1] + k] += np.conj(unit) * moved[flat + k]
            slopes[model.places[4] + k] -= 1j * size * np.conj(unit) * moved[flat + k]
    if model.n_pairs:
        v = _mixed_slopes(model, x, v, slopes)
    s2 = math.exp(x[model.places[2], 0] if model.unknown_noise else log_noise)
    ri = _inverse(v, s2)
    u, rr = _product(ri, v), _product(ri, covariance)
    z, ru = _product(rr, u), _product(ri, u)
    z -= u
    left, gram = _adjoint(u), _product(_adjoint(v), u)
    inner = np.empty((d, p_n, p_n), np.complex128)
    side = np.empty((d, n, p_n), np.complex128)
    scale = 2 * count
    cross = np.zeros(d)
    for i in range(d):
        inner[i] = _product(left, slopes[i])
        side[i] = _product(ri, _product(slopes[i], gram))
        gradient[i] = scale * np.sum((slopes[i] * np.conj(z)).real)
        cross[i] = scale * s2 * np.sum((slopes[i] * np.conj(ru)).real)
    for i in range(d):
        for j in range(i + 1):
            total = 0.0
            for p in range(p_n):
                for q in range(p_n):
                    total += (inner[i, p, q] * inner[j, q, p]).real
            for m in range(n):
                for p in range(p_n):
                    total += (side[i, m, p] * np.conj(slopes[j, m, p])).real
            f[i, j] = f[j, i] = scale * total
    if model.unknown_noise:
        at = model.places[2]
        f[at] = cross
        f[:, at] = cross
        square, trace = 0.0, 0.0
        for i in range(n):
            for j in range(n):
                square += ri[i, j].real ** 2 + ri[i, j].imag ** 2
                trace += ((rr[i, j] - (1.0 if i == j else 0.0)) * ri[j, i]).real
        f[at, at] = count * s2 * s2 * square
        gradient[at] = count * s2 * trace
    if model.normal:
        for k in range(model.places[1], model.places[1] + flat):
            gradient[k] -= x[k, 0]
            f[k, k] += 1.0


@compiled
def _mixed_slopes(model: Any, x: Any, v: Any, slopes: Any) -> Any:
    """V Gamma; slopes (d, N, P) become its derivatives, those by the correlations included."""
    p_n = model.n_sources
    gamma, ahead = np.empty((p_n, p_n), np.complex128), np.empty((p_n, p_n), np.complex128)
    _factor(model, x, 0, gamma)
    for i in range(len(slopes)):
        slopes[i] = _product(slopes[i], gamma)
    index, turned = 0, x.copy()
    for p in range(p_n):
        for q in range(p):
            angle, phase = model.places[5] + index, model.places[6] + index
            turned[angle, 0] += 0.5 * math.pi  # the derivative of sin and cos alike: a quarter turn ahead
            _factor(model, turned, 0, ahead)
            turned[angle, 0] = x[angle, 0]
            for n in range(v.shape[0]):
                slopes[phase, n, q] = 1j * v[n, p] * gamma[p, q]
                for k in range(q, p + 1):
                    slopes[angle, n, k] = v[n, p] * ahead[p, k]
            index += 1
    return _product(v, gamma)


@compiled
def information_of(model: Any, covariance: Any, count: Any, log_noise: Any, x: Any, gradient: Any, f: Any) -> None:
    """`information` of x (B, d, S) into gradient (B, S, d) and f (B, S, d, d)."""
    for b in range(x.shape[0]):
        for s in range(x.shape[2]):
            at = np.ascontiguousarray(x[b, :, s : s + 1])
            information(model, covariance[b], count[b], log_noise[b], at, gradient[b, s], f[b, s])


@compiled
def tempering(value: Any, effective: float, most: float, out: Any) -> None:
    """What `resample.tempering` finds, of value (B, S) into out (B,)."""
    for b in range(value.shape[0]):
        top = -np.inf
        for v in value[b]:
            top = max(top, v)
        low, high, beta = -30.0, math.log(most), most
        for step in range(20):
            if step:
                beta = math.exp(0.5 * (low + high))
            total, square = 0.0, 0.0
            for v in value[b]:
                weight = math.exp(beta * max(v - top, -1e12))
                total += weight
                square += weight * weight
            enough = square * effective < total * total
            if step == 0 and enough:
                low = high
                break
            if step:
                low, high = (0.5 * (low + high), high) if enough else (low, 0.5 * (low + high))
        out[b] = most if low == high else math.exp(low)


@compiled
def _product(a: Any, b: Any) -> Any:
    """A B of small complex matrices."""
    out = np.zeros((a.shape[0], b.shape[1]), np.complex128)
    for i in range(a.shape[0]):
        for k in range(a.shape[1]):
            for j in range(b.shape[1]):
                out[i, j] += a[i, k] * b[k, j]
    return out


@compiled
def _adjoint(a: Any) -> Any:
    return np.ascontiguousarray(np.conj(a).T)


@compiled
def _inverse(v: Any, s2: float) -> Any:
    """(V V^H + s2 I)^-1, by Gauss-Jordan elimination of the Hermitian positive definite matrix."""
    n = v.shape[0]
    a = _product(v, _adjoint(v))
    out = np.zeros((n, n), np.complex128)
    for i in range(n):
        a[i, i] += s2
        out[i, i] = 1.0
    for k in range(n):
        pivot = 1.0 / a[k, k]
        for j in range(n):
            a[k, j] *= pivot
            out[k, j] *= pivot
        for i in range(n):
            if i != k:
                factor = a[i, k]
                for j in range(n):
                    a[i, j] -= factor * a[k, j]
                    out[i, j] -= factor * out[k, j]
    return out


@compiled
def _solve(a: Any, b: Any) -> Any:
    """Solution of a x = b for symmetric positive definite a (overwritten), by its Cholesky factor."""
    d = len(b)
    x = b.copy()
    for j in range(d):
        for k in range(j):
            a[j, j] -= a[j, k] ** 2
        a[j, j] = math.sqrt(a[j, j])
        for i in range(j + 1, d):
            for k in range(j):
                a[i, j] -= a[i, k] * a[j, k]
            a[i, j] /= a[j, j]
    for i in range(d):
        for k in range(i):
            x[i] -= a[i, k] * x[k]
        x[i] /= a[i, i]
    for i in range(d - 1, -1, -1):
        for k in range(i + 1, d):
            x[i] -= a[k, i] * x[k]
        x[i] /= a[i, i]
    return x


@compiled
def climb(
    model: Any, covariance: Any, count: Any, log_noise: Any, x: Any, value: Any, damping: Any, done: Any, weak: Any,
    steps: int,
) -> None:  # fmt: skip
    """Levenberg-Marquardt steps in place on climbers x (B, d, G), value, damping and done (B, G); weak: (d,)."""
    b_n, d, climbers = x.shape
    gradient, f, fresh = np.empty(d), np.empty((d, d)), np.empty(1)
    now, new, free = np.empty((d, 1)), np.empty((d, 1)), np.empty(d)
    for b in range(b_n):
        for g in range(climbers):
            now[:, 0] = x[b, :, g]
            for _ in range(steps):
                if done[b, g]:
                    break
                information(model, covariance[b], count[b], log_noise[b], now, gradient, f)
                for i in range(d):  # a wall stops a coordinate that would leave the box
                    below = now[i, 0] <= model.low[i] and gradient[i] < 0
                    above = now[i, 0] >= model.high[i] and gradient[i] > 0
                    free[i] = 0.0 if i < model.n_box and (below or above) else 1.0
                for i in range(d):
                    f[i, i] += f[i, i] * damping[b, g] + weak[i]
                for i in range(d):
                    if free[i] == 0.0:
                        f[i] = 0.0
                        f[:, i] = 0.0
                        f[i, i] = 1.0
                step = _solve(f, gradient * free)
                for i in range(d):
                    widest = 0.25 * (model.high[i] - model.low[i])
                    new[i, 0] = now[i, 0] + min(max(step[i], -widest), widest)
                    if i < model.n_box:
                        new[i, 0] = min(max(new[i, 0], model.low[i]), model.high[i])
                log_density(model, covariance[b], count[b], log_noise[b], new, fresh)
                better = fresh[0] > value[b, g] and _inside(model, new, 0)
                if better:
                    done[b, g] = fresh[0] - value[b, g] < 0.01
                    value[b, g] = fresh[0]
                    now[:, 0] = new[:, 0]
                damping[b, g] = min(max(damping[b, g] * (0.1 if better else 10.0), 1e-8), 1e4)
            x[b, :, g] = now[:, 0]
