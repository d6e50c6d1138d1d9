"""DataJoint's own codec, the reference. It needs no database."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its pkg_resources is deprecated
    import datajoint
    from datajoint.blob import MatCell, MatStruct, pack, unpack

datajoint.config["enable_python_native_blobs"] = True

__all__ = ["MatCell", "MatStruct", "pack", "unpack"]
