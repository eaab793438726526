"""What was measured, with which the formulas of `capacity_plan` calculate.

docs/scale.md says how and where. A face has 128 dimensions where a value depends on it; CPU times
are of one core of that machine.
"""

FACE_ROW_BYTES = 1_036
"""PostgreSQL: table and indexes, for a face without the 512 bytes of its embedding."""
PERSON_ROW_BYTES = 479
"""PostgreSQL: table and indexes, for a person."""
LOG_BYTES_A_CHANGE = 167
"""PostgreSQL: table and index, for a line of the change log."""
LOG_REVISIONS = 100_000
"""Revisions of the change log that are kept (`log_revisions` of app/constants.py)."""
SQL_READ_FACES_A_S = 43_000
"""Embeddings that a process reads from PostgreSQL by ranges of keys."""

SCAN_BYTES_A_S = 16.7e9
"""Vectors that one core compares: 1,000,000 faces in 30.6 ms in memory; Milvus took 5.9 ms for
200,000."""
SEARCH_BASE_S = 0.00125
"""A search in Milvus, as far as it does not depend on the number of faces: one among 10 faces."""
NAMED_FACE_S = 5.3e-6
"""A search among faces that are named one by one, as filters and stages do: for each face."""
NAMED_AT_ONCE = 4_096
"""Faces that one such request to Milvus names."""
GRAPH_SEGMENT_S = 0.001
"""A search in one segment by HNSW with ef = 256."""
GRAPH_BUILD_S_A_FACE = 0.0005
"""HNSW with M = 16 and efConstruction = 200."""
GRAPH_BYTES_A_FACE = 2 * 16 * 4
"""The links of the lowest layer with M = 16; by its definition, not measured."""
FILL_FACES_A_S = 25_000
"""Faces that one Milvus takes, four batches at a time; with priority on a calmer machine 34,000."""
MILVUS_MEMORY_FACTOR = 2.5
"""Memory for each byte of a vector: 1,310 bytes a face at 1,000,000, with buffers and Go's heap."""
MILVUS_BASE_BYTES = 350e6
"""Memory of an empty standalone."""
MILVUS_DISK_FACTOR = 2.1
"""Disk for each byte of a vector: message queue and binary logs, 1,069 bytes a face."""
SEGMENT_BYTES = 512 * 1024 * 1024
"""Largest segment by Milvus's own configuration (`dataCoord.segment.maxSize`)."""

IDENTIFY_CPU_S = 0.019
"""A server process: a photo of 512 x 512 with one face, on the CPU."""
EMBEDDING_CPU_S = 0.0017
"""A server process: a search by an embedding."""
PROCESS_BYTES = 350e6
"""A server process with its networks, on the CPU, without vectors."""
MEMORY_INDEX_BYTES_A_FACE = 590
"""The built-in index in memory of each process."""
WRITES_A_S = 200
"""Single enrolments and deletions that one collection takes: each holds its row for a commit."""
VACUUM_BYTES_A_S = 50e6
"""What VACUUM reads with the delays of PostgreSQL's default configuration; not measured here."""
