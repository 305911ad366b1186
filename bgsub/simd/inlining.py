"""`inline`: a helper that becomes part of the kernels that call it.

A function of `njit` is compiled for itself first: with its wrappers for Python and for C, optimised, down to machine
code. Nothing of that is of use for a helper, and there are thirty of them in a kernel. So here a helper's code is
written down, and left at that until a kernel takes it in; then all is optimised together, once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import config

from bgsub.simd.internals import Compiler, CPUDispatcher, JITCodeLibrary, NativeLowering, register_pass

# A kernel allocates nothing and keeps no array, so none of its arrays needs to be counted.
UNCOUNTED = {"_nrt": False}


class _Part(JITCodeLibrary):
    """Code that is never run as it stands."""

    def _optimize_functions(self, ll_module: Any) -> None:
        ll_module.data_layout = self._codegen._data_layout

    def finalize(self) -> None:
        self._raise_if_finalized()
        for library in dict.fromkeys(self._linking_libraries):
            if hasattr(library, "_reload_init"):  # Numba 0.61 has none
                self._reload_init.update(library._reload_init)
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        self._finalized = True


@register_pass(mutates_CFG=True, analysis_only=False)
class _PartLowering(NativeLowering):
    """Numba's own last pass, without machine code at its end."""

    _name = "part_lowering"

    def run_pass(self, state: Any) -> bool:
        state.library = _Part(state.targetctx.codegen(), state.func_id.func_qualname)
        super().run_pass(state)
        result = state["cr"]
        name = object()  # by which callers find it
        state.targetctx.insert_user_function(name, result.fndesc, [state.library])
        state["cr"] = result._replace(cfunc=name)
        state.library.finalize()
        return True


class _PartCompiler(Compiler):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        flags = self.state.flags
        flags.no_compile = flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True

    def define_pipelines(self) -> list:
        pipelines = super().define_pipelines()
        for pipeline in pipelines:
            pipeline.passes = [(_PartLowering if one is NativeLowering else one, why) for one, why in pipeline.passes]
            pipeline._finalized = False
            pipeline.finalize()
        return pipelines


class KernelCompiler(Compiler):
    """Of what Python calls: nothing in C does."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.state.flags.no_cfunc_wrapper = True


class _Inline(CPUDispatcher):
    """A helper, for kernels; Python itself has the plain form."""

    def add_overload(self, cres: Any) -> None:
        self.overloads[tuple(cres.signature.args)] = cres

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self.py_func(*arguments, **named)


def inline(function: Callable) -> Any:
    """Return a helper of kernels. LLVM must inline it: a real call passes its vectors through memory."""
    if config.DISABLE_JIT:
        return function
    options = {"nopython": True, "forceinline": True, "error_model": "numpy", "boundscheck": None, **UNCOUNTED}
    return _Inline(function, targetoptions=options, pipeline_class=_PartCompiler)
