"""The number format of the encoder."""

from contextlib import AbstractContextManager, nullcontext

import torch


def resolve(precision: str, device: torch.device) -> torch.dtype:
    """The format that a configured precision means on a device.

    Args:
        precision: ``auto``, ``bfloat16`` or ``float32``.
        device: where the encoder runs.
    """
    if precision == "auto":
        precision = "bfloat16" if _computes_in_bfloat16(device) else "float32"
    return torch.bfloat16 if precision == "bfloat16" else torch.float32


def autocast(dtype: torch.dtype, device: torch.device) -> AbstractContextManager[object]:
    """Context in which the encoder computes in ``dtype``."""
    return nullcontext() if dtype == torch.float32 else torch.autocast(device.type, dtype)


def _computes_in_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is done in hardware; emulated, it is slower than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
