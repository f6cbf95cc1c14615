# SPDX-License-Identifier: Apache-2.0
"""Firmware images: the build, the file formats, the sizes."""

from edgegrf.image.build import Image, build_image, build_image_of_c
from edgegrf.image.formats import read_image
from edgegrf.image.sizes import Sizes
from edgegrf.image.slot import check_fits

__all__ = ["Image", "Sizes", "build_image", "build_image_of_c", "check_fits", "read_image"]
