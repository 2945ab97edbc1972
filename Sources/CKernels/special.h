// Functions that no standard library has, in code that is C, OpenCL C and CUDA C++ at once. CODE takes it as code (tiles.c)
// or as text (text.c). FUNCTION, `real` and `log_gamma` are defined elsewhere. Constants are cast because `real` is float on
// a GPU without float64.
CODE(
// Reflection for x < 0.5, then recurrence up to 10 and the asymptotic series (Abramowitz & Stegun 6.3.18).
FUNCTION real digamma_(real x) {
    real result = 0, reflection = 0;
    if (x <= 0 && x == floor(x)) return NAN;
    if (x < (real)0.5) {
        reflection = (real)3.14159265358979323846 / tan((real)3.14159265358979323846 * x);
        x = 1 - x;
    }
    while (x < 10) { result -= 1 / x; x += 1; }
    real r = 1 / x, s = r * r;
    return result + log(x) - (real)0.5 * r
        - s * ((real)(1.0 / 12) - s * ((real)(1.0 / 120) - s * ((real)(1.0 / 252)
        - s * ((real)(1.0 / 240) - s * (real)(1.0 / 132))))) - reflection;
}

// Cephes' zeta(s, q) = sum of (k + q)^-s over k >= 0, by Euler-Maclaurin summation.
FUNCTION real zeta_(real s, real q) {
    const real a[12] = {
        (real)12.0, (real)-720.0, (real)30240.0, (real)-1209600.0, (real)47900160.0, (real)-1.8924375803183791606e9,
        (real)7.47242496e10, (real)-2.950130727918164224e12, (real)1.1646782814350067249e14,
        (real)-4.5979787224074726105e15, (real)1.8152105401943546773e17, (real)-7.1661652561756670113e18};
    if (s == 1) return INFINITY;
    if (s < 1) return NAN;
    if (q <= 0) {
        // At its poles an even power is infinite from both sides; an odd one changes sign.
        if (q == floor(q)) return fmod(s, (real)2) == 0 ? INFINITY : NAN;
        if (s != floor(s)) return NAN;
    }
    real sum = pow(q, -s), x = q, b = 0;
    for (int i = 0; i < 9 || x <= 9; i++) {
        x += 1;
        b = pow(x, -s);
        sum += b;
        if (fabs(b / sum) < (real)1.11022302462515654042e-16) return sum;
    }
    sum += b * x / (s - 1) - (real)0.5 * b;
    real factor = 1, k = 0;
    for (int i = 0; i < 12; i++) {
        factor *= s + k;
        b /= x;
        real term = factor * b / a[i];
        sum += term;
        if (fabs(term / sum) < (real)1.11022302462515654042e-16) return sum;
        k += 1;
        factor *= s + k;
        b /= x;
        k += 1;
    }
    return sum;
}

// The n-th derivative of digamma.
FUNCTION real polygamma_(real n, real x) {
    if (n < 0 || n != floor(n)) return NAN;
    if (n == 0) return digamma_(x);
    return (fmod(n, (real)2) == 0 ? -1 : 1) * exp(log_gamma(n + 1)) * zeta_(n + 1, x);
}

// The x that a standard normal variable stays below with the probability 1/2 + q. `tail` is that probability or its
// complement, whichever is smaller. M. J. Wichura, Algorithm AS 241 (1988), PPND16.
FUNCTION real normal_quantile_(real q, real tail) {
    const real a[8] = {(real)2.5090809287301226727e3, (real)3.3430575583588128105e4, (real)6.7265770927008700853e4,
        (real)4.5921953931549871457e4, (real)1.3731693765509461125e4, (real)1.9715909503065514427e3,
        (real)1.3314166789178437745e2, (real)3.3871328727963666080};
    const real b[8] = {(real)5.2264952788528545610e3, (real)2.8729085735721942674e4, (real)3.9307895800092710610e4,
        (real)2.1213794301586595867e4, (real)5.3941960214247511077e3, (real)6.8718700749205790830e2,
        (real)4.2313330701600911252e1, (real)1};
    const real c[8] = {(real)7.74545014278341407640e-4, (real)2.27238449892691845833e-2,
        (real)2.41780725177450611770e-1, (real)1.27045825245236838258, (real)3.64784832476320460504,
        (real)5.76949722146069140550, (real)4.63033784615654529590, (real)1.42343711074968357734};
    const real d[8] = {(real)1.05075007164441684324e-9, (real)5.47593808499534494600e-4,
        (real)1.51986665636164571966e-2, (real)1.48103976427480074590e-1, (real)6.89767334985100004550e-1,
        (real)1.67638483018380384940, (real)2.05319162663775882187, (real)1};
    const real e[8] = {(real)2.01033439929228813265e-7, (real)2.71155556874348757815e-5,
        (real)1.24266094738807843860e-3, (real)2.65321895265761230930e-2, (real)2.96560571828504891230e-1,
        (real)1.78482653991729133580, (real)5.46378491116411436990, (real)6.65790464350110377720};
    const real f[8] = {(real)2.04426310338993978564e-15, (real)1.42151175831644588870e-7,
        (real)1.84631831751005468180e-5, (real)7.86869131145613259100e-4, (real)1.48753612908506148525e-2,
        (real)1.36929880922735805310e-1, (real)5.99832206555887937690e-1, (real)1};
    if (tail != tail || tail < 0) return NAN;
    if (tail == 0) return q < 0 ? -INFINITY : INFINITY;
    int inner = fabs(q) <= (real)0.425, near = 0;
    real r = (real)0.180625 - q * q, factor = q;
    if (!inner) {
        r = sqrt(-log(tail));
        factor = q < 0 ? -1 : 1;
        near = r <= 5;
        r -= near ? (real)1.6 : (real)5;
    }
    real over = 0, under = 0;
    for (int i = 0; i < 8; i++) {
        over = over * r + (inner ? a[i] : near ? c[i] : e[i]);
        under = under * r + (inner ? b[i] : near ? d[i] : f[i]);
    }
    return factor * over / under;
}

FUNCTION real ndtri_(real p) { return normal_quantile_(p - (real)0.5, p < (real)0.5 ? p : 1 - p); }

FUNCTION real erfinv_(real x) {
    return normal_quantile_(x / 2, (1 - fabs(x)) / 2) * (real)0.70710678118654752440;
}
)
