"""Photo files to pixels.

`photo_file.PhotoFile` is the entrance. The structure of a file is read and counted first. Then
ordinary formats are decoded in the calling thread, and formats whose cost does not follow from
their size in a process that can be ended.
"""
