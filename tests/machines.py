"""Recorded machines: what files, tools and environment variables say there. Written after the documented answers of
`nvidia-smi` (its manual, and the NVML API reference), Linux's sysfs, and the platforms' own pages."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass, field

from jitmagic.devices.host import Host

SMI = "/usr/bin/nvidia-smi"


@dataclass(eq=False)
class Machine(Host):
    """A recorded machine.

    Attributes
    ----------
    told : mapping of str to (str or tuple)
        By a part of the command line, what a tool prints; (text, problem) where it fails.
    files : mapping of str to str
    variables : mapping of str to str
    """

    told: Mapping[str, str | tuple[str, str]] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    named: str = "Linux"
    built: str = "x86_64"
    asked: list[str] = field(default_factory=list)

    @property
    def system(self) -> str:
        return self.named

    @property
    def architecture(self) -> str:
        return self.built

    @property
    def environ(self) -> Mapping[str, str]:
        return self.variables

    def tool(self, name: str, places: tuple[str, ...] = ()) -> str | None:
        return SMI if name == "nvidia-smi" and self.told else None

    def output(self, command: list[str], timeout: float = 0.0) -> tuple[str, str | None]:
        line = " ".join(command)
        self.asked.append(line)
        for part, answer in self.told.items():
            if part in line:
                return answer if isinstance(answer, tuple) else (answer, None)
        return "", f"{command[0]} ended with code 6: nothing of the kind"

    def text(self, path: str) -> str | None:
        return self.files.get(path)

    def matching(self, folder: str, pattern: str) -> list[str]:
        return sorted(path for path in self.files if fnmatch.fnmatch(path, f"{folder}/{pattern}"))


def _pci(vendor: str, kind: str, place: str = "0000:01:00.0") -> dict[str, str]:
    folder = f"/sys/bus/pci/devices/{place}"
    return {f"{folder}/vendor": f"{vendor}\n", f"{folder}/class": f"{kind}\n"}


NO_APPS = {"--query-compute-apps": ""}

H100 = Machine(
    {
        "--query-gpu": "0, GPU-3c5e, NVIDIA H100 80GB HBM3, 81559, 580.65.06, 9.0, 1980, 345, 2048, Disabled\n",
        "--query-compute-apps": "GPU-3c5e, 4711\nGPU-3c5e, 4712\n",
    }
)
OLD_DRIVER = Machine(
    {"--query-gpu": "0, GPU-77aa, NVIDIA A10G, 23028, 535.183.01, 8.6, 1710, 210, 0, [N/A]\n", **NO_APPS}
)
ANCIENT_DRIVER = Machine(
    {
        "compute_cap": ("", 'nvidia-smi ended with code 2: Field "compute_cap" is not a valid field to query.'),
        "--query-gpu": "0, GPU-0101, Tesla K80, 11441, 460.106.00\n",
        **NO_APPS,
    }
)
VOLTA = Machine(
    {"--query-gpu": "0, GPU-b0b0, Tesla V100-SXM2-16GB, 16384, 580.95.05, 7.0, 1530, 135, 0, [N/A]\n", **NO_APPS}
)
DIVIDED = Machine(
    {
        "--query-gpu": "0, GPU-d1f0, NVIDIA A100-SXM4-40GB, 40960, 580.65.06, 8.0, 1410, 210, 45, Enabled\n",
        " -L": (
            "GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-d1f0)\n"
            "  MIG 3g.20gb     Device  0: (UUID: MIG-aaaa-1)\n"
            "  MIG 2g.10gb     Device  1: (UUID: MIG-bbbb-2)\n"
        ),
        **NO_APPS,
    }
)
DIVIDED_EMPTY = Machine(
    {
        "--query-gpu": "0, GPU-d1f0, NVIDIA A100-SXM4-40GB, 40960, 580.65.06, 8.0, 1410, 210, 0, Enabled\n",
        " -L": "GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-d1f0)\n",
        **NO_APPS,
    }
)
NO_DRIVER = Machine(files={**_pci("0x10de", "0x030200"), **_pci("0x10de", "0x040300", "0000:01:00.1")})
BROKEN_DRIVER = Machine(
    {
        "--query-gpu": (
            "",
            "nvidia-smi ended with code 9: NVIDIA-SMI has failed because it couldn't communicate with the driver.",
        )
    }
)
WSL = Machine(
    {
        "--query-gpu": "0, GPU-3e11, NVIDIA GeForce RTX 4070 Laptop GPU, 8188, 581.29, 8.9, 3105, 210, 1034, [N/A]\n",
        "--query-compute-apps": ("", "nvidia-smi ended with code 6: Not Supported"),
    },
    files={"/dev/dxg": ""},
)
JETSON = Machine(
    {"--query-gpu": "0, GPU-0r1n, Orin (nvgpu), [N/A], 540.4.0, 8.7, [N/A], [N/A], [N/A], [N/A]\n", **NO_APPS}
)
TWO_TEXT = (
    "1, GPU-bbbb-2, NVIDIA A100-SXM4-40GB, 40960, 580.65.06, 8.0, 1410, 210, 0, Disabled\n"
    "0, GPU-aaaa-1, NVIDIA H200, 143771, 580.65.06, 9.0, 1980, 345, 0, Disabled\n"
)
TWO = Machine({"--query-gpu": TWO_TEXT, **NO_APPS})
TWO_SECOND_ONLY = Machine({"--query-gpu": TWO_TEXT, **NO_APPS}, variables={"CUDA_VISIBLE_DEVICES": "1"})
TWO_ORDERED = Machine({"--query-gpu": TWO_TEXT, **NO_APPS}, variables={"CUDA_DEVICE_ORDER": "PCI_BUS_ID"})
APPLE = Machine(named="Darwin", built="arm64")
INTEL_MAC = Machine(named="Darwin", built="x86_64")
TPU_VM = Machine(files={f"/dev/accel{number}": "" for number in range(4)}, variables={"TPU_ACCELERATOR_TYPE": "v4-8"})
COLAB_TPU = Machine(
    files={**_pci("0x1ae0", "0x088000"), "/dev/vfio/0": "", "/dev/vfio/vfio": ""},
    variables={"TPU_ACCELERATOR_TYPE": "v5litepod-1"},
)
AMD = Machine(files={**_pci("0x1002", "0x038000"), "/dev/kfd": ""})
AMD_DISPLAY_ONLY = Machine(files=_pci("0x1002", "0x030000"))
