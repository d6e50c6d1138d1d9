"""The DataJoint blob format: mYm and dj0 objects in a zlib envelope.

No other module knows those bytes.
"""
