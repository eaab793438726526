"""Photo files to pixels.

`photo_file.PhotoFile` is the door. A file's structure is read and counted first; then ordinary
formats are decoded in the calling thread, and those whose cost does not follow from their size in a
process that can be ended.
"""
