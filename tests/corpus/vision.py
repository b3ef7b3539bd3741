"""Imaging and computer vision."""

import math

import numpy as np

from tests.corpus.sizes import of


def _picture(rng, h, w):
    # blobs, an edge and noise
    y, x = np.mgrid[0:h, 0:w]
    img = 60.0 + 80.0*(x > 0.4*w + 0.2*y)
    img = img + 90*np.exp(-((x - 0.7*w)**2 + (y - 0.3*h)**2)/(0.02*w*h))
    return np.clip(img + rng.normal(0, 4, (h, w)), 0, 255).astype(np.uint8)


def canny_edges(img, lo, hi):
    f = img.astype(float)
    p = np.pad(f, 1, mode='edge')
    gx = (p[:-2, 2:] + 2*p[1:-1, 2:] + p[2:, 2:]) - (p[:-2, :-2] + 2*p[1:-1, :-2] + p[2:, :-2])
    gy = (p[2:, :-2] + 2*p[2:, 1:-1] + p[2:, 2:]) - (p[:-2, :-2] + 2*p[:-2, 1:-1] + p[:-2, 2:])
    mag = np.hypot(gx, gy)
    ang = np.rad2deg(np.arctan2(gy, gx)) % 180
    h, w = mag.shape
    thin = np.zeros_like(mag)
    for i in range(1, h - 1):
        for j in range(1, w - 1):
            a = ang[i, j]
            if a < 22.5 or a >= 157.5:
                n1, n2 = mag[i, j-1], mag[i, j+1]
            elif a < 67.5:
                n1, n2 = mag[i-1, j-1], mag[i+1, j+1]
            elif a < 112.5:
                n1, n2 = mag[i-1, j], mag[i+1, j]
            else:
                n1, n2 = mag[i-1, j+1], mag[i+1, j-1]
            if mag[i, j] >= n1 and mag[i, j] >= n2:
                thin[i, j] = mag[i, j]
    # hysteresis
    out = np.zeros((h, w), dtype=np.uint8)
    stack = [(int(i), int(j)) for i, j in np.argwhere(thin > hi)]
    while stack:
        i, j = stack.pop()
        if out[i, j]:
            continue
        out[i, j] = 255
        for u in range(max(i - 1, 0), min(i + 2, h)):
            for v in range(max(j - 1, 0), min(j + 2, w)):
                if thin[u, v] > lo and out[u, v] == 0:
                    stack.append((u, v))
    return out


def canny_edges_args(size, rng):
    n = of(size, 16, 70, 300)
    return _picture(rng, n, n + 4), 40.0, 120.0


def hough_lines(edges, n_theta=180, n_peaks=3):
    h, w = edges.shape
    diag = int(np.ceil(np.hypot(h, w)))
    theta = np.linspace(0, np.pi, n_theta, endpoint=False)
    ys, xs = np.nonzero(edges)
    rho = np.rint(xs[:, None]*np.cos(theta) + ys[:, None]*np.sin(theta)).astype(int) + diag
    acc = np.zeros((2*diag + 1, n_theta), dtype=int)
    np.add.at(acc, (rho, np.arange(n_theta)[None, :]), 1)
    peaks = []
    A = acc.copy()
    for _ in range(n_peaks):
        r, t = np.unravel_index(A.argmax(), A.shape)
        peaks.append((r - diag, theta[t], A[r, t]))
        A[max(r-5, 0):r+6, max(t-5, 0):t+6] = 0
    return acc, np.array(peaks)


def hough_lines_args(size, rng):
    n = of(size, 16, 64, 256)
    e = rng.random((n, n)) < 0.02
    e[np.arange(n), np.arange(n)[::-1]] = True
    e[n//3, :] = True
    return e, of(size, 30, 90, 180)


def resize_bilinear(src, dst):
    """Resize src into dst (both uint8, one channel)."""
    H, W = src.shape
    h, w = dst.shape
    sy = H/h
    sx = W/w
    for i in range(h):
        y = (i + 0.5)*sy - 0.5
        y = min(max(y, 0.0), H - 1.0)
        y0 = int(y)
        y1 = min(y0 + 1, H - 1)
        fy = y - y0
        for j in range(w):
            x = (j + 0.5)*sx - 0.5
            x = min(max(x, 0.0), W - 1.0)
            x0 = int(x)
            x1 = min(x0 + 1, W - 1)
            fx = x - x0
            top = src[y0, x0]*(1 - fx) + src[y0, x1]*fx
            bot = src[y1, x0]*(1 - fx) + src[y1, x1]*fx
            dst[i, j] = int(top*(1 - fy) + bot*fy + 0.5)


def resize_bilinear_args(size, rng):
    n = of(size, 8, 36, 140)
    return _picture(rng, n, n), np.zeros((int(n*1.4), int(n*1.7)), dtype=np.uint8)


def open_close(mask, r=1):
    # disc shaped structuring element
    d = np.arange(-r, r + 1)
    se = d[:, None]**2 + d[None, :]**2 <= r*r + r

    def dilate(m):
        p = np.pad(m, r)
        out = np.zeros_like(m)
        for a, b in zip(*np.nonzero(se)):
            out |= p[a:a+m.shape[0], b:b+m.shape[1]]
        return out

    erode = lambda m: ~dilate(~m)
    opened = dilate(erode(mask))
    closed = erode(dilate(opened))
    return closed, (closed ^ mask).sum()


def open_close_args(size, rng):
    n = of(size, 12, 100, 700)
    y, x = np.mgrid[0:n, 0:n]
    m = np.sin(x/5.0)*np.cos(y/7.0) > 0.1
    return m ^ (rng.random((n, n)) < 0.03), of(size, 1, 2, 3)


def lucas_kanade(I0, I1, half=2, min_det=1e-3):
    """Dense flow, one level. float32 all the way"""
    Iy, Ix = np.gradient(I0)
    It = I1 - I0

    def boxsum(a):
        s = np.pad(a, half)
        k = 2*half + 1
        s = np.cumsum(np.pad(s, ((1, 0), (0, 0))), axis=0, dtype=np.float32)
        s = s[k:] - s[:-k]
        s = np.cumsum(np.pad(s, ((0, 0), (1, 0))), axis=1, dtype=np.float32)
        return s[:, k:] - s[:, :-k]

    a, b, c = boxsum(Ix*Ix), boxsum(Ix*Iy), boxsum(Iy*Iy)
    p, q = -boxsum(Ix*It), -boxsum(Iy*It)
    det = a*c - b*b
    ok = det > min_det
    det = np.where(ok, det, np.float32(1))
    u = np.where(ok, (c*p - b*q)/det, 0)
    v = np.where(ok, (a*q - b*p)/det, 0)
    return u, v, ok.mean()


def lucas_kanade_args(size, rng):
    n = of(size, 16, 120, 700)
    y, x = np.mgrid[0:n, 0:n].astype(np.float32)
    ph = rng.uniform(0, 1)
    g = lambda dx, dy: (np.sin(0.3*(x - dx) + ph) + np.cos(0.25*(y - dy))
                        + np.sin(0.2*(x + y - dx - dy))).astype(np.float32)
    return g(0, 0), g(0.4, -0.3)


def nms_boxes(boxes, scores, thr=0.5):
    x1, y1, x2, y2 = boxes.T
    area = (x2 - x1)*(y2 - y1)
    order = scores.argsort()[::-1]
    keep = []
    while order.size > 0:
        i = order[0]
        keep.append(i)
        xx1 = np.maximum(x1[i], x1[order[1:]])
        yy1 = np.maximum(y1[i], y1[order[1:]])
        xx2 = np.minimum(x2[i], x2[order[1:]])
        yy2 = np.minimum(y2[i], y2[order[1:]])
        inter = np.clip(xx2 - xx1, 0, None)*np.clip(yy2 - yy1, 0, None)
        iou = inter/(area[i] + area[order[1:]] - inter)
        order = order[1:][iou <= thr]
    return np.array(keep)


def nms_boxes_args(size, rng):
    n = of(size, 20, 400, 6000)
    xy = rng.uniform(0, 300, (n, 2))
    wh = rng.uniform(10, 80, (n, 2))
    return np.hstack([xy, xy + wh]), rng.random(n), 0.4


def atkinson_dither(img, levels=2):
    """Atkinson error diffusion, serpentine scan. img float, overwritten"""
    h, w = img.shape
    q = 255.0/(levels - 1)
    err_total = 0.0
    for y in range(h):
        step = 1 if y % 2 == 0 else -1
        xs = range(w) if step == 1 else range(w - 1, -1, -1)
        for x in xs:
            old = img[y, x]
            new = round(old/q)*q
            if new > 255:
                new = 255.0
            if new < 0:
                new = 0.0
            img[y, x] = new
            e = (old - new)/8
            err_total += abs(e)
            for dy, dx in ((0, 1), (0, 2), (1, -1), (1, 0), (1, 1), (2, 0)):
                yy = y + dy
                xx = x + dx*step
                if yy < h and 0 <= xx < w:
                    img[yy, xx] += e
    return err_total


def atkinson_dither_args(size, rng):
    n = of(size, 14, 64, 300)
    return _picture(rng, n, n).astype(np.float64), 2


def label_components(bw):
    """4-connected labelling, two passes with union-find"""
    h, w = bw.shape
    lab = np.zeros((h, w), dtype=np.int32)
    parent = [0]

    def find(a):
        while parent[a] != a:
            parent[a] = parent[parent[a]]
            a = parent[a]
        return a

    nxt = 1
    for i in range(h):
        for j in range(w):
            if not bw[i, j]:
                continue
            up = lab[i-1, j] if i > 0 else 0
            left = lab[i, j-1] if j > 0 else 0
            if up == 0 and left == 0:
                parent.append(nxt)
                lab[i, j] = nxt
                nxt += 1
            elif up and left:
                a, b = find(up), find(left)
                lo, hi = min(a, b), max(a, b)
                parent[hi] = lo
                lab[i, j] = lo
            else:
                lab[i, j] = up or left
    # second pass: flatten and renumber
    remap = np.zeros(nxt, dtype=np.int32)
    count = 0
    for k in range(1, nxt):
        r = find(k)
        if remap[r] == 0:
            count += 1
            remap[r] = count
        remap[k] = remap[r]
    return remap[lab], count


def label_components_args(size, rng):
    n = of(size, 16, 90, 450)
    return (rng.random((n, n)) < 0.55,)


def gamma_hsv(rgb, gamma=2.2):
    lut = np.array([int(255*(i/255)**(1/gamma) + 0.5) for i in range(256)], dtype=np.uint8)
    f = lut[rgb].astype(np.float32)/np.float32(255)
    r, g, b = f[..., 0], f[..., 1], f[..., 2]
    mx = f.max(axis=-1)
    mn = f.min(axis=-1)
    d = mx - mn
    safe = np.where(d == 0, 1, d)
    h = np.zeros_like(mx)
    m = (mx == r) & (d > 0)
    h[m] = ((g - b)/safe)[m] % 6
    m2 = (mx == g) & (d > 0) & ~m
    h[m2] = ((b - r)/safe)[m2] + 2
    m3 = (mx == b) & (d > 0) & ~m & ~m2
    h[m3] = ((r - g)/safe)[m3] + 4
    s = np.where(mx > 0, d/np.where(mx > 0, mx, 1), 0)
    hsv = np.stack([h/6, s, mx], axis=-1)
    return (hsv*255).astype(np.uint8)


def gamma_hsv_args(size, rng):
    n = of(size, 10, 120, 800)
    return (rng.integers(0, 256, (n, n, 3), dtype=np.uint8),)


def radon(img, angles):
    """Sinogram by rotating the sampling grid, bilinear"""
    n = img.shape[0]
    c = (n - 1)/2
    X, Y = np.meshgrid(np.arange(n) - c, np.arange(n) - c)
    sino = np.zeros((n, len(angles)))
    for k, th in enumerate(np.deg2rad(angles)):
        xr = X*np.cos(th) - Y*np.sin(th) + c
        yr = X*np.sin(th) + Y*np.cos(th) + c
        x0 = np.floor(xr).astype(int)
        y0 = np.floor(yr).astype(int)
        inside = (x0 >= 0) & (x0 < n - 1) & (y0 >= 0) & (y0 < n - 1)
        x0 = np.clip(x0, 0, n - 2)
        y0 = np.clip(y0, 0, n - 2)
        fx, fy = xr - x0, yr - y0
        val = (img[y0, x0]*(1-fx)*(1-fy) + img[y0, x0+1]*fx*(1-fy)
               + img[y0+1, x0]*(1-fx)*fy + img[y0+1, x0+1]*fx*fy)
        sino[:, k] = (val*inside).sum(axis=0)
    return sino


def radon_args(size, rng):
    n = of(size, 12, 50, 150)
    return _picture(rng, n, n).astype(float), np.linspace(0, 180, of(size, 4, 30, 90), endpoint=False)


def marching_squares_lengths(z, level):
    """Contour length by marching squares cases (ambiguous ones as two segments)"""
    h, w = z.shape
    total = 0.0
    cells = 0
    for i in range(h - 1):
        for j in range(w - 1):
            a, b, c, d = z[i, j], z[i, j+1], z[i+1, j+1], z[i+1, j]
            case = 1*(a > level) + 2*(b > level) + 4*(c > level) + 8*(d > level)
            if case == 0 or case == 15:
                continue
            cells += 1
            top = (level - a)/(b - a) if a != b else 0.5
            right = (level - b)/(c - b) if b != c else 0.5
            bottom = (level - d)/(c - d) if c != d else 0.5
            left = (level - a)/(d - a) if a != d else 0.5
            if case in (1, 14):
                total += math.hypot(top, left)
            elif case in (2, 13):
                total += math.hypot(1 - top, right)
            elif case in (3, 12):
                total += math.hypot(1, right - left)
            elif case in (4, 11):
                total += math.hypot(1 - bottom, 1 - right)
            elif case in (6, 9):
                total += math.hypot(bottom - top, 1)
            elif case in (7, 8):
                total += math.hypot(bottom, 1 - left)
            else:
                total += math.hypot(top, left) + math.hypot(1 - bottom, 1 - right)
    return total, cells


def marching_squares_lengths_args(size, rng):
    n = of(size, 8, 40, 200)
    y, x = np.mgrid[:n, :n]
    return np.hypot(x - n/2.1, y - n/2.3) + 0.1*rng.random((n, n)), n/3


def perspective_warp(img, Hinv, shape):
    h, w = shape
    ys, xs = np.mgrid[0:h, 0:w]
    pts = np.stack([xs.ravel(), ys.ravel(), np.ones(h*w)])
    q = Hinv @ pts
    u = q[0]/q[2]
    v = q[1]/q[2]
    x0 = np.floor(u).astype(int)
    y0 = np.floor(v).astype(int)
    inside = (x0 >= 0) & (x0 < img.shape[1] - 1) & (y0 >= 0) & (y0 < img.shape[0] - 1)
    out = np.zeros(h*w)
    x0, y0, u, v = x0[inside], y0[inside], u[inside], v[inside]
    fx, fy = u - x0, v - y0
    out[inside] = (img[y0, x0]*(1 - fx)*(1 - fy) + img[y0, x0 + 1]*fx*(1 - fy)
                   + img[y0 + 1, x0]*(1 - fx)*fy + img[y0 + 1, x0 + 1]*fx*fy)
    return out.reshape(h, w)


def perspective_warp_args(size, rng):
    n = of(size, 10, 100, 700)
    return rng.random((n, n)), np.array([[.9, .1, 2.0], [-.05, 1.1, -1.0], [1e-4, 2e-4, 1.0]]), (n, n + 3)


def grey_cooccurrence(img, levels=8, dy=0, dx=1):
    q = (img.astype(int)*levels)//256
    H, W = q.shape
    glcm = np.zeros((levels, levels))
    for i in range(max(0, -dy), min(H, H - dy)):
        for j in range(max(0, -dx), min(W, W - dx)):
            a = q[i, j]
            b = q[i + dy, j + dx]
            glcm[a, b] += 1
            glcm[b, a] += 1
    glcm /= glcm.sum()
    i, j = np.indices(glcm.shape)
    contrast = np.sum(glcm*(i - j)**2)
    homog = np.sum(glcm/(1 + np.abs(i - j)))
    energy = np.sqrt((glcm**2).sum())
    nz = glcm[glcm > 0]
    entropy = -np.sum(nz*np.log2(nz))
    return {"contrast": contrast, "homogeneity": homog, "energy": energy, "entropy": entropy}


def grey_cooccurrence_args(size, rng):
    n = of(size, 10, 100, 700)
    return (rng.integers(0, 256, (n, n), dtype=np.uint8),)


def hough_votes(edges, n_theta=18, n_peaks=3):
    """Accumulator and the strongest lines, each peak's neighbourhood suppressed."""
    h, w = edges.shape
    diag = int(np.ceil(np.hypot(h, w)))
    thetas = np.linspace(-np.pi/2, np.pi/2, n_theta, endpoint=False)
    cos_t, sin_t = np.cos(thetas), np.sin(thetas)
    acc = np.zeros((2*diag + 1, n_theta), dtype=np.uint64)
    ys, xs = np.nonzero(edges)
    for x, y in zip(xs, ys):
        rho = np.round(x*cos_t + y*sin_t).astype(int) + diag
        acc[rho, np.arange(n_theta)] += 1
    work = acc.copy()
    peaks = []
    for _ in range(n_peaks):
        r, t = np.unravel_index(work.argmax(), work.shape)
        peaks.append((r - diag, thetas[t], acc[r, t]))
        work[max(r-2, 0):r+3, max(t-1, 0):t+2] = 0
    return acc, np.array(peaks, dtype=float)


def hough_votes_args(size, rng):
    n = of(size, 12, 40, 300)
    E = rng.random((n, n)) < 0.05
    E[np.arange(n), np.arange(n)] = True
    return (E,)


def watershed_flood(img, markers, max_iter=1000):
    """Grow markers to the neighbour with the lowest grey value until nothing changes."""
    lab = markers.copy()
    h, w = img.shape
    for it in range(max_iter):
        best = np.inf
        pick = None
        for y in range(h):
            for x in range(w):
                if lab[y, x] != 0:
                    continue
                for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0)):
                    ny, nx = y + dy, x + dx
                    if 0 <= ny < h and 0 <= nx < w and lab[ny, nx] > 0:
                        if img[y, x] < best:
                            best = img[y, x]
                            pick = (y, x, lab[ny, nx])
        if pick is None:
            break
        lab[pick[0], pick[1]] = pick[2]
    return lab


def watershed_flood_args(size, rng):
    n = of(size, 6, 12, 40)
    m = np.zeros((n, n), dtype=int)
    m[0, 0], m[-1, -1] = 1, 2
    return rng.random((n, n)), m


def darkest_seed_growth(img, start, size):
    """Grow a region from a seed, always by the neighbouring pixel that is nearest to the region's mean."""
    h, w = img.shape
    inside = np.zeros((h, w), dtype=bool)
    inside[start] = True
    total, count = img[start], 1
    while count < size:
        nearest, best = np.inf, None
        mean = total/count
        for y in range(h):
            for x in range(w):
                if inside[y, x]:
                    continue
                touches = ((y > 0 and inside[y-1, x]) or (y < h-1 and inside[y+1, x])
                           or (x > 0 and inside[y, x-1]) or (x < w-1 and inside[y, x+1]))
                if touches and abs(img[y, x] - mean) < nearest:
                    nearest = abs(img[y, x] - mean)
                    best = (y, x)
        if best is None:
            break
        inside[best[0], best[1]] = True
        total += img[best[0], best[1]]
        count += 1
    return inside


def darkest_seed_growth_args(size, rng):
    n = of(size, 6, 14, 40)
    return rng.random((n, n)), (n//2, n//3), 2*n


def back_projected(sinogram, angles):
    # ramp filter, then each projection is smeared over the picture
    count, width = sinogram.shape
    ramp = np.abs(np.fft.fftfreq(width))
    filtered = np.real(np.fft.ifft(np.fft.fft(sinogram, axis=1)*ramp, axis=1))
    centre = (width - 1)/2
    yy, xx = np.mgrid[0:width, 0:width] - centre
    picture = np.zeros((width, width))
    for row, angle in zip(filtered, angles):
        at = xx*np.cos(angle) + yy*np.sin(angle) + centre
        left = np.floor(at).astype(int)
        inside = (left >= 0) & (left < width - 1)
        part = at - left
        picture[inside] += (1 - part[inside])*row[left[inside]] + part[inside]*row[left[inside] + 1]
    return picture*np.pi/count


def back_projected_args(size, rng):
    n, k = of(size, (8, 5), (24, 20), (128, 90))
    return rng.random((k, n)), np.linspace(0, np.pi, k, endpoint=False)


def shifted_match(picture, pattern):
    """Place and difference of the window that is most like a pattern."""
    h, w = pattern.shape
    best, found = np.inf, None
    window = None
    for i in range(picture.shape[0] - h + 1):
        for j in range(picture.shape[1] - w + 1):
            part = picture[i:i + h, j:j + w]
            error = ((part - pattern)**2).sum()
            if error < best:
                best = error
                found = (i, j)
                window = part - pattern
    return found, window, best


def shifted_match_args(size, rng):
    n = of(size, 7, 20, 60)
    return rng.random((n, n + 2)), rng.random((3, 4))
