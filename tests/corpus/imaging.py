"""Images, often of uint8; convolution and pooling."""

import numpy as np

from tests.corpus.sizes import of


def brighten_uint8(img, amount):
    # goes through a wider type so as not to wrap
    wide = img.astype(np.int16) + amount
    return np.clip(wide, 0, 255).astype(np.uint8)


def brighten_uint8_args(size, rng):
    n = of(size, 8, 60, 400)
    return rng.integers(0, 256, (n, n + 1, 3), dtype=np.uint8), 40


def wrap_uint8(a, b):
    # deliberately wraps
    return a + b, a - b, a*np.uint8(3)


def wrap_uint8_args(size, rng):
    n = of(size, 20, 600, 40_000)
    return rng.integers(0, 256, n, dtype=np.uint8), rng.integers(0, 256, n, dtype=np.uint8)


def grayscale(rgb):
    return np.dot(rgb[..., :3], [0.2989, 0.5870, 0.1140])


def grayscale_args(size, rng):
    n = of(size, 8, 60, 400)
    return (rng.integers(0, 256, (n, n, 3), dtype=np.uint8),)


def box_blur_uint8(im):
    h, w = im.shape
    out = np.zeros_like(im)
    for y in range(1, h - 1):
        for x in range(1, w - 1):
            acc = 0
            for dy in (-1, 0, 1):
                for dx in (-1, 0, 1):
                    acc += int(im[y + dy, x + dx])
            out[y, x] = acc // 9
    return out


def box_blur_uint8_args(size, rng):
    n = of(size, 8, 30, 120)
    return (rng.integers(0, 256, (n, n + 1), dtype=np.uint8),)


def sobel(im):
    Kx = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    Ky = Kx.T
    rows, cols = im.shape
    mag = np.zeros((rows - 2, cols - 2))
    for i in range(rows - 2):
        for j in range(cols - 2):
            patch = im[i:i+3, j:j+3]
            gx = np.sum(Kx*patch)
            gy = np.sum(Ky*patch)
            mag[i, j] = np.hypot(gx, gy)
    mag *= 255.0/mag.max()
    return mag


def sobel_args(size, rng):
    n = of(size, 9, 30, 120)
    return (rng.random((n, n + 2)),)


def conv2d_valid(image, kernel):
    kh, kw = kernel.shape
    H, W = image.shape
    out = np.zeros((H - kh + 1, W - kw + 1), image.dtype)
    for dy in range(kh):
        for dx in range(kw):
            out += kernel[dy, dx]*image[dy:dy + out.shape[0], dx:dx + out.shape[1]]
    return out


def conv2d_valid_args(size, rng):
    n = of(size, 9, 50, 300)
    return rng.random((n, n)).astype(np.float32), rng.random((3, 5)).astype(np.float32)


def conv_layer(x, w, b):
    """NHWC, no padding"""
    K = w.shape[0]
    N = x.shape[0]
    Ho = x.shape[1] - K + 1
    Wo = x.shape[2] - K + 1
    Co = w.shape[3]
    y = np.empty((N, Ho, Wo, Co), dtype=np.float32)
    for i in range(Ho):
        for j in range(Wo):
            y[:, i, j, :] = np.sum(x[:, i:i+K, j:j+K, :, np.newaxis]*w[np.newaxis, :, :, :], axis=(1, 2, 3))
    return y + b


def conv_layer_args(size, rng):
    n = of(size, 6, 12, 28)
    f = np.float32
    return rng.random((2, n, n, 3)).astype(f), rng.random((3, 3, 3, 4)).astype(f), rng.random(4).astype(f)


def maxpool2x2(x):
    n, h, w, c = x.shape
    out = np.empty((n, h//2, w//2, c), dtype=x.dtype)
    for i in range(h//2):
        for j in range(w//2):
            out[:, i, j, :] = np.max(x[:, 2*i:2*i+2, 2*j:2*j+2, :], axis=(1, 2))
    return out


def maxpool2x2_args(size, rng):
    n = of(size, 6, 16, 48)
    return (rng.random((2, n, n, 3)).astype(np.float32),)


def average_pool_reshape(im, k):
    h, w = im.shape
    return im[:h//k*k, :w//k*k].reshape(h//k, k, w//k, k).mean(axis=(1, 3))


def average_pool_reshape_args(size, rng):
    n = of(size, 9, 61, 301)
    return rng.random((n, n + 1)), 2


def otsu_threshold(gray):
    hist = np.bincount(gray.ravel(), minlength=256)
    total = gray.size
    sum_all = np.dot(np.arange(256), hist)
    sumB = 0.0
    wB = 0
    best, threshold = 0.0, 0
    for t in range(256):
        wB += hist[t]
        if wB == 0:
            continue
        wF = total - wB
        if wF == 0:
            break
        sumB += t*hist[t]
        mB = sumB/wB
        mF = (sum_all - sumB)/wF
        between = wB*wF*(mB - mF)**2
        if between > best:
            best = between
            threshold = t
    return threshold


def otsu_threshold_args(size, rng):
    n = of(size, 9, 60, 300)
    return (np.where(rng.random((n, n)) < .5, rng.integers(20, 90, (n, n)), rng.integers(140, 220, (n, n))).astype(np.uint8),)


def bilateral_row(row, sigma_s, sigma_r, half):
    out = row.copy()
    for i in range(half, len(row) - half):
        w_sum = 0.0
        v_sum = 0.0
        for k in range(-half, half + 1):
            w = np.exp(-k*k/(2*sigma_s**2) - (row[i+k] - row[i])**2/(2*sigma_r**2))
            w_sum += w
            v_sum += w*row[i+k]
        out[i] = v_sum/w_sum
    return out


def bilateral_row_args(size, rng):
    return rng.random(of(size, 20, 200, 3000)), 1.5, 0.2, 3


def integral_image(im):
    ii = np.zeros((im.shape[0] + 1, im.shape[1] + 1))
    ii[1:, 1:] = im.cumsum(axis=0).cumsum(axis=1)
    k = 3
    return (ii[k:, k:] - ii[:-k, k:] - ii[k:, :-k] + ii[:-k, :-k])/k**2


def integral_image_args(size, rng):
    n = of(size, 9, 60, 300)
    return (rng.random((n, n)),)


def histogram_equalise(img):
    hist, bins = np.histogram(img.flatten(), 256, (0, 256))
    cdf = hist.cumsum()
    cdf = 255*(cdf - cdf.min())/(cdf.max() - cdf.min())
    return cdf.astype('uint8')[img]


def histogram_equalise_args(size, rng):
    n = of(size, 9, 60, 300)
    return (rng.integers(30, 200, (n, n)).astype(np.uint8),)


def erode(binary):
    r = binary.copy()
    r[1:, :] &= binary[:-1, :]
    r[:-1, :] &= binary[1:, :]
    r[:, 1:] &= binary[:, :-1]
    r[:, :-1] &= binary[:, 1:]
    return r


def erode_args(size, rng):
    n = of(size, 9, 60, 300)
    return (rng.random((n, n)) < .8,)


def flood_fill(grid, sy, sx, new):
    h, w = grid.shape
    old = grid[sy, sx]
    stack = [(sy, sx)]
    while stack:
        y, x = stack.pop()
        if grid[y, x] != old:
            continue
        grid[y, x] = new
        if y > 0: stack.append((y - 1, x))
        if y < h - 1: stack.append((y + 1, x))
        if x > 0: stack.append((y, x - 1))
        if x < w - 1: stack.append((y, x + 1))
    return grid


def flood_fill_args(size, rng):
    n = of(size, 8, 25, 100)
    return (rng.random((n, n)) < .3).astype(np.int64), n//2, n//2, 7


def floyd_steinberg(im):
    img = im.astype(float)
    h, w = img.shape
    for y in range(h):
        for x in range(w):
            old = img[y, x]
            new = 255.0 if old > 127 else 0.0
            img[y, x] = new
            err = old - new
            if x + 1 < w:
                img[y, x+1] += err*7/16
            if y + 1 < h:
                if x > 0:
                    img[y+1, x-1] += err*3/16
                img[y+1, x] += err*5/16
                if x + 1 < w:
                    img[y+1, x+1] += err*1/16
    return img.astype(np.uint8)


def floyd_steinberg_args(size, rng):
    n = of(size, 8, 25, 100)
    return (rng.integers(0, 256, (n, n), dtype=np.uint8),)


def brightest_spots(image, count, radius):
    """Picks the brightest pixel again and again, and blots out what is around it"""
    work = image.astype(float)
    spots = []
    for _ in range(count):
        k = np.argmax(work)
        y, x = k//work.shape[1], k % work.shape[1]
        spots.append((y, x, work[y, x]))
        work[max(y - radius, 0):y + radius + 1, max(x - radius, 0):x + radius + 1] = -1.0
    return np.array(spots)


def brightest_spots_args(size, rng):
    n = of(size, 12, 64, 512)
    return rng.integers(0, 256, (n, n)).astype(np.uint8), of(size, 3, 8, 20), 2


def box_sums(img, k):
    # sums over k x k boxes
    out = np.zeros((img.shape[0] - k + 1, img.shape[1] - k + 1))
    for a in range(k):
        for b in range(k):
            out += 1.0*img[a:a + out.shape[0], b:b + out.shape[1]]
    return out


def box_sums_args(size, rng):
    n = of(size, 8, 60, 400)
    return rng.random((n, n + 1)), 5


def vegetation_index(red, nir, cloud):
    """NDVI of the clear pixels, and the share of them that is green"""
    clear = ~cloud
    total = nir + red
    ndvi = np.divide(nir - red, total, out=np.full_like(red, -1.0), where=clear & (total > 0))
    if not clear.any():
        return ndvi, 0.0
    return ndvi, np.mean(ndvi[clear] > 0.3)


def vegetation_index_args(size, rng):
    n = of(size, 12, 60, 700)
    red, nir = rng.uniform(0, .4, (n, n)), rng.uniform(0, .8, (n, n))
    red[0, :3] = nir[0, :3] = 0.0
    return red, nir, rng.random((n, n)) < .2
