"""Galleries as files: whole collections out of one database and into another.

An archive is a zip file whose members are stored as they are, not compressed:

    collections/0/identities.jsonl    a person a line, oldest first
    collections/0/faces.jsonl         a face a line: those of the first person, of the second, ...
    collections/0/embeddings.npy      float32, (faces, dimension); row i is that of line i
    collections/1/...
    manifest.json                     what is in it, with the size and SHA-256 of every member

It can be read without Vultus: unzip, JSON Lines and numpy.load are all it takes. Every field is
defined in `archive_manifest.py` and `archive_lines.py`.
"""
