"""The compiled loops of doamc.likelihood, doamc.waveforms and doamc.bands; all else stands in pyproject.toml.

They are plain C, loaded by ctypes: one library serves every Python of a platform. Optional: without a C compiler the
package installs all the same and computes with tensors.
"""

from glob import glob

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

ROOMS = ("likelihood", "waveforms", "bands")  #: of doamc, each with a folder loops
HEADERS = sorted(glob("python_core/doamc/*/loops/*.h"))
FLAGS = "-std=c11 -O3 -g0 -ffp-contract=fast -fno-math-errno -fno-trapping-math -fvisibility=hidden"


class Library(build_ext):
    """Builds a library that is no module of Python."""

    def get_ext_filename(self, fullname: str) -> str:
        """Path of the library; the second dot in its name keeps importers away."""
        return f"{fullname.replace('.', '/')}.c.so"

    def get_export_symbols(self, ext: Extension) -> list[str]:
        """No entry point of a module, which Windows would look for."""
        return ext.export_symbols


class Wheel(bdist_wheel):
    """A wheel of this platform for every Python."""

    def get_tag(self) -> tuple[str, str, str]:
        """Tag of Python, its binary interface and the platform."""
        return "py3", "none", super().get_tag()[2]


setup(
    ext_modules=[
        Extension(
            f"doamc.{room}.loops",
            sources=sorted(glob(f"python_core/doamc/{room}/loops/*.c")),
            depends=["setup.py", *HEADERS],
            extra_compile_args=FLAGS.split(),
            optional=True,
        )
        for room in ROOMS
    ],
    cmdclass={"build_ext": Library, "bdist_wheel": Wheel},
)
