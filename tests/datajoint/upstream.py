"""The real DataJoint, imported quietly."""

import logging
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its pkg_resources is deprecated
    import datajoint as dj

logging.getLogger("datajoint").setLevel(logging.ERROR)
dj.config["enable_python_native_blobs"] = True

__all__ = ["dj"]
