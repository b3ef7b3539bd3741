"""Complex numbers in CUDA C++: a structure with what a program uses of it, and no header.

NVRTC has `cuda::std::complex` only where the CCCL headers are installed, and their product and quotient do more than
NumPy's with infinities. Here a product is the plain one and a quotient Smith's (Algorithm 116, 1962), as NumPy's are.
"""

from __future__ import annotations

from collections.abc import Iterable

MEMBERS = {
    "+": """
    friend __device__ Complex operator+(Complex a, Complex b) { return {a.real + b.real, a.imag + b.imag}; }
""",
    "-": """
    friend __device__ Complex operator-(Complex a, Complex b) { return {a.real - b.real, a.imag - b.imag}; }
""",
    "negative": """
    friend __device__ Complex operator-(Complex z) { return {-z.real, -z.imag}; }
""",
    "*": """
    friend __device__ Complex operator*(Complex a, Complex b)
    {
        return {a.real * b.real - a.imag * b.imag, a.real * b.imag + a.imag * b.real};
    }
""",
    "/": """
    // Smith's quotient: the squares of a divisor's parts never overflow
    friend __device__ Complex operator/(Complex a, Complex b)
    {
        if (b.real == 0 && b.imag == 0) return {a.real / fabs(b.real), a.imag / fabs(b.real)};
        if (fabs(b.real) >= fabs(b.imag))
        {
            const T ratio = b.imag / b.real, scale = 1 / (b.real + b.imag * ratio);
            return {(a.real + a.imag * ratio) * scale, (a.imag - a.real * ratio) * scale};
        }
        const T ratio = b.real / b.imag, scale = 1 / (b.imag + b.real * ratio);
        return {(a.real * ratio + a.imag) * scale, (a.imag * ratio - a.real) * scale};
    }
""",
    "==": """
    friend __device__ bool operator==(Complex a, Complex b) { return a.real == b.real && a.imag == b.imag; }
""",
    "!=": """
    friend __device__ bool operator!=(Complex a, Complex b) { return a.real != b.real || a.imag != b.imag; }
""",
    "bool": """
    __device__ explicit operator bool() const { return real != 0 || imag != 0; }
""",
    "conj": """
    friend __device__ Complex conj(Complex z) { return {z.real, -z.imag}; }
""",
    "abs": """
    friend __device__ T abs(Complex z) { return hypot(z.real, z.imag); }
""",
    "arg": """
    friend __device__ T arg(Complex z) { return atan2(z.imag, z.real); }
""",
    "has_nan": """
    friend __device__ bool has_nan(Complex z) { return isnan(z.real) || isnan(z.imag); }
""",
    "has_inf": """
    friend __device__ bool has_inf(Complex z) { return isinf(z.real) || isinf(z.imag); }
""",
    "is_finite": """
    friend __device__ bool is_finite(Complex z) { return isfinite(z.real) && isfinite(z.imag); }
""",
    "sqrt": """
    friend __device__ Complex sqrt(Complex z)
    {
        if (isinf(z.imag)) return {fabs(z.imag), z.imag};
        if (z.real == 0 && z.imag == 0) return {0, z.imag};
        const T root = sqrt(fabs(z.real) / 2 + hypot(z.real, z.imag) / 2);
        if (z.real < 0) return {fabs(z.imag) / (2 * root), copysign(root, z.imag)};
        return {root, z.imag / (2 * root)};
    }
""",
    "exp": """
    friend __device__ Complex exp(Complex z)
    {
        if (z.imag == 0) return {exp(z.real), z.imag};
        // in two factors: exp(real) may be infinite where its product with the cosine is not
        const T root = exp(z.real / 2);
        return {root * cos(z.imag) * root, root * sin(z.imag) * root};
    }
""",
    "log": """
    friend __device__ Complex log(Complex z)
    {
        const T one = fmax(fabs(z.real), fabs(z.imag)), other = fmin(fabs(z.real), fabs(z.imag));
        // near the unit circle the absolute value would have lost what its logarithm is of
        if (one > (T)0.5 && one < 2) return {log1p((one - 1) * (one + 1) + other * other) / 2, atan2(z.imag, z.real)};
        return {log(hypot(z.real, z.imag)), atan2(z.imag, z.real)};
    }
""",
    "log10": """
    friend __device__ Complex log10(Complex z)
    {
        const Complex natural = log(z);
        return {natural.real * (T)0.4342944819032518, natural.imag * (T)0.4342944819032518};
    }
""",
    "sin": """
    friend __device__ Complex sin(Complex z) { return {sin(z.real) * cosh(z.imag), cos(z.real) * sinh(z.imag)}; }
""",
    "cos": """
    friend __device__ Complex cos(Complex z) { return {cos(z.real) * cosh(z.imag), -(sin(z.real) * sinh(z.imag))}; }
""",
    "sinh": """
    friend __device__ Complex sinh(Complex z) { return {sinh(z.real) * cos(z.imag), cosh(z.real) * sin(z.imag)}; }
""",
    "cosh": """
    friend __device__ Complex cosh(Complex z) { return {cosh(z.real) * cos(z.imag), sinh(z.real) * sin(z.imag)}; }
""",
    "tanh": """
    // Kahan's form (Branch cuts for complex elementary functions, 1987), which does not overflow
    friend __device__ Complex tanh(Complex z)
    {
        if (fabs(z.real) > 20)
        {
            return {copysign((T)1, z.real), 4 * sin(z.imag) * cos(z.imag) * exp(-2 * fabs(z.real))};
        }
        const T t = tan(z.imag), s = sinh(z.real), beta = 1 + t * t, whole = 1 + beta * s * s;
        return {beta * sqrt(1 + s * s) * s / whole, t / whole};
    }
""",
    "tan": """
    friend __device__ Complex tan(Complex z)
    {
        const Complex turned = tanh(Complex(-z.imag, z.real));
        return {turned.imag, -turned.real};
    }
""",
    "pow": """
    // NumPy's: a whole power by multiplication, any other by the logarithm
    friend __device__ Complex pow(Complex base, Complex power)
    {
        if (power.real == 0 && power.imag == 0) return 1;
        if (base.real == 0 && base.imag == 0)
        {
            return power.real > 0 ? Complex(0) : Complex(base.real / base.real, base.imag / base.imag);
        }
        const bool whole = power.imag == 0 && power.real == trunc(power.real) && fabs(power.real) < 100;
        if (!whole) return exp(power * log(base));
        Complex result = 1;
        for (int n = (int)fabs(power.real); n > 0; n >>= 1)
        {
            if (n & 1) result = result * base;
            base = base * base;
        }
        return power.real < 0 ? 1 / result : result;
    }
""",
}  # fmt: skip
"""Operators and functions by what asks for them; each needs the others' text only where `_NEEDS` says so."""

_NEEDS = {"log10": ("log",), "tan": ("tanh",), "pow": ("*", "/", "exp", "log"), "power": ("*",)}

_HEAD = """// a complex number as it lies in NumPy's arrays
template <class T> struct alignas(2 * sizeof(T)) Complex
{
    T real, imag;

    Complex() = default;
    __device__ constexpr Complex(T re, T im = 0) : real(re), imag(im) {}
"""

_OTHER_WIDTH = """    template <class U> __device__ explicit Complex(Complex<U> z) : real((T)z.real), imag((T)z.imag) {}
"""

POWER = """// a whole power, by multiplication in NumPy's order
template <int N, class T> __device__ inline Complex<T> power(Complex<T> z)
{
    if (N == 1) return z;
    if (N == 2) return z * z;
    if (N == 3) return z * (z * z);
    Complex<T> result = 1;
    for (int n = N; n > 0; n >>= 1) { if (n & 1) result = result * z; z = z * z; }
    return result;
}
"""


def structure(used: Iterable[str]) -> str:
    """Returns the structure with the members that are used, and the names of its types that are."""
    wanted = set(used)
    for name in tuple(wanted):
        wanted |= set(_NEEDS.get(name, ()))
    both = {"complex64", "complex128"} <= wanted
    text = _HEAD + (_OTHER_WIDTH if both else "") + "".join(part for name, part in MEMBERS.items() if name in wanted)
    text += "};\n"
    for name, part in (("complex64", "float"), ("complex128", "double")):
        if name in wanted:
            text += f"typedef Complex<{part}> {name};\n"
    return text + (f"\n{POWER}" if "power" in wanted else "")
