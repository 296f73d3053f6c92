"""The layers of the market room: raw bytes, segments of rows, the best value of each day, and the panel.

Every file here is written once and never changed: built aside, flushed to disk, then renamed into place.
"""
