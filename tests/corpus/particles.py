"""Particles, bodies and elements, step by step with short vectors."""

import math

import numpy as np

from tests.corpus.sizes import of


def softened_gravity(pos, mass, eps):
    n = len(mass)
    acc = np.zeros_like(pos)
    for i in range(n):
        for j in range(n):
            if i == j:
                continue
            r = pos[j] - pos[i]
            d2 = np.dot(r, r) + eps**2
            acc[i] += mass[j]*r/d2**1.5
    return acc


def softened_gravity_args(size, rng):
    n = of(size, 8, 30, 120)
    return rng.standard_normal((n, 3)), rng.random(n), 0.1


def morse_force(r, De, a, re):
    d = np.linalg.norm(r)
    e = np.exp(-a*(d - re))
    return 2*De*a*e*(1 - e)*r/d


def morse_forces(pos, box, De, a, re, rc):
    """forces between all particles in a periodic box"""
    n = len(pos)
    F = np.zeros((n, 3))
    for i in range(n):
        f = np.zeros(3)
        for j in range(n):
            if j != i:
                r = pos[i] - pos[j]
                r = r - box*np.round(r/box)
                if np.sum(r**2) < rc**2:
                    f += -morse_force(r, De, a, re)
        F[i] = f
    return F


def morse_forces_args(size, rng):
    n = of(size, 8, 24, 90)
    return rng.random((n, 3))*4, np.array([4.0, 4.0, 5.0]), 1.0, 1.5, 1.1, 1.9


def avoidance(x, v, radius, strength):
    n = x.shape[0]
    out = np.empty_like(v)
    for i in range(n):
        mean = np.zeros(2)
        push = np.zeros(2)
        count = 0
        for j in range(n):
            d = x[j] - x[i]
            dist = math.hypot(d[0], d[1])
            if 0.0 < dist < radius:
                mean += v[j]
                push -= d/dist**2
                count += 1
        if count > 0:
            mean /= count
            out[i] = v[i] + 0.1*(mean - v[i]) + strength*push
        else:
            out[i] = v[i]
    return out


def avoidance_args(size, rng):
    n = of(size, 8, 30, 120)
    return rng.random((n, 2)), rng.standard_normal((n, 2)), 0.4, 0.01


def dipole_fields(pos, mom):
    n = pos.shape[0]
    B = np.zeros((n, 3))
    for i in range(n):
        for j in range(n):
            if i != j:
                r = pos[i] - pos[j]
                d = np.sqrt((r**2).sum())
                u = r/d
                B[i] += (3*u*np.dot(mom[j], u) - mom[j])/d**3
    return B


def dipole_fields_args(size, rng):
    n = of(size, 7, 24, 90)
    return rng.standard_normal((n, 3)), rng.standard_normal((n, 3))


def rotate_by_quaternions(q, v):
    out = np.zeros_like(v)
    for i in range(len(v)):
        w = q[i, 0]
        u = q[i, 1:]
        t = 2*np.cross(u, v[i])
        out[i] = v[i] + w*t + np.cross(u, t)
    return out


def rotate_by_quaternions_args(size, rng):
    n = of(size, 9, 200, 5000)
    return rng.standard_normal((n, 4)), rng.standard_normal((n, 3))


def boris_step(x, v, E, B, qm, dt):
    for i in range(len(x)):
        vm = v[i] + 0.5*qm*dt*E[i]
        t = 0.5*qm*dt*B
        s = 2*t/(1 + np.dot(t, t))
        vp = vm + np.cross(vm, t)
        vplus = vm + np.cross(vp, s)
        v[i] = vplus + 0.5*qm*dt*E[i]
        x[i] += dt*v[i]
    return x, v


def boris_step_args(size, rng):
    n = of(size, 9, 200, 5000)
    return rng.random((n, 3)), rng.random((n, 3)), rng.random((n, 3)), np.array([0.0, 0.2, 1.0]), 1.5, 0.1


def triangle_energy(nodes, tri, u, E):
    energy = np.zeros(len(tri))
    for e in range(len(tri)):
        a, b, c = tri[e]
        p = nodes[b] - nodes[a]
        q = nodes[c] - nodes[a]
        area = 0.5*(p[0]*q[1] - p[1]*q[0])
        du = np.array([u[b] - u[a], u[c] - u[a]])
        gx = (q[1]*du[0] - p[1]*du[1])/(2*area)
        gy = (-q[0]*du[0] + p[0]*du[1])/(2*area)
        energy[e] = 0.5*E*abs(area)*(gx**2 + gy**2)
    return energy


def triangle_energy_args(size, rng):
    n = of(size, 9, 100, 3000)
    return rng.random((n, 2)), rng.permuted(np.tile(np.arange(n), (n, 1)), axis=1)[:, :3], rng.random(n), 2.0


def w_cubic(q, h):
    s = 1/(np.pi*h**3)
    if q < 1:
        return s*(1 - 1.5*q**2 + 0.75*q**3)
    elif q < 2:
        return s*0.25*(2 - q)**3
    return 0.0


def sph_density(pos, m, h):
    n, dim = pos.shape
    rho = np.zeros(n)
    for i in range(n):
        for j in range(n):
            d = np.zeros(dim)
            for k in range(dim):
                d[k] = pos[i, k] - pos[j, k]
            rho[i] += m[j]*w_cubic(np.sqrt(np.sum(d*d))/h, h)
    return rho


def sph_density_args(size, rng):
    n = of(size, 8, 24, 90)
    return rng.random((n, 3)), rng.random(n), 0.4


def arm_points(theta, link):
    n = len(theta)
    out = np.zeros((n, 2))
    for i in range(n):
        p = np.zeros(2)
        angle = 0.0
        for k in range(theta.shape[1]):
            angle += theta[i, k]
            R = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            p = p + R @ np.array([link[k], 0.0])
        out[i] = p
    return out


def arm_points_args(size, rng):
    n = of(size, 7, 100, 3000)
    return rng.standard_normal((n, 3)), rng.random(3)
