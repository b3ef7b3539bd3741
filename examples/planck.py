"""Spectral radiance of a black body, with a helper function and constants of nature as globals."""
import numpy as np

H = 6.62607015e-34   # Planck constant, J s
C = 2.99792458e8     # speed of light, m / s
KB = 1.380649e-23    # Boltzmann constant, J / K


def photon_energy(wavelength):
    return H * C / wavelength


def radiance(wavelength, temperature):
    """Radiance in W / (m^2 sr m)."""
    x = photon_energy(wavelength) / (KB * temperature)
    return 2 * H * C**2 / wavelength**5 / np.expm1(x)


wavelength = np.linspace(100e-9, 3000e-9, 2000)     # m
temperature = np.linspace(2000.0, 9000.0, 400)      # K

radiance(wavelength[None, :], temperature[:, None])
