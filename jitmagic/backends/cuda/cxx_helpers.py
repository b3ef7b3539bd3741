"""Small functions in CUDA C++ that kernels call: Python's and NumPy's arithmetic where C++ has another one."""

HELPERS = {
    "wrapped": """// Python's index: a negative one counts from the end
__device__ inline long long wrapped(long long i, long long n) { return i < 0 ? i + n : i; }
""",
    "floor_div": """// Python's quotient and remainder round towards minus infinity
__device__ inline long long floor_div(long long a, long long b)
{
    return b == 0 ? 0 : a / b - ((a % b != 0) && ((a < 0) != (b < 0)));
}
__device__ inline double floor_div(double a, double b) { return floor(a / b); }
__device__ inline float floor_div(float a, float b) { return floor(a / b); }
""",
    "floor_mod": """__device__ inline long long floor_mod(long long a, long long b)
{
    if (b == 0) return 0;
    long long r = a % b;
    return r != 0 && ((r < 0) != (b < 0)) ? r + b : r;
}
__device__ inline double floor_mod(double a, double b)
{
    double r = fmod(a, b);
    return r != 0 && ((r < 0) != (b < 0)) ? r + b : r;
}
__device__ inline float floor_mod(float a, float b) { return (float)floor_mod((double)a, (double)b); }
""",
    "power": """// a whole power by multiplication
template <int N, class T> __device__ inline T power(T x)
{
    T result = 1;
    for (int n = N; n > 0; n >>= 1) { if (n & 1) result *= x; x *= x; }
    return result;
}
""",
    "smaller": "template <class T> __device__ inline T smaller(T a, T b) { return b < a ? b : a; }\n",
    "larger": "template <class T> __device__ inline T larger(T a, T b) { return b > a ? b : a; }\n",
    "minimum": """// NumPy's: a NaN is kept
template <class T> __device__ inline T minimum(T a, T b) { return a != a ? a : (b != b || b < a ? b : a); }
""",
    "maximum": """// NumPy's: a NaN is kept
template <class T> __device__ inline T maximum(T a, T b) { return a != a ? a : (b != b || b > a ? b : a); }
""",
    "absolute": "template <class T> __device__ inline T absolute(T a) { return a < 0 ? -a : a == 0 ? (T)0 : a; }\n",
}  # fmt: skip
