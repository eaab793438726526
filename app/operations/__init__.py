"""The operations of users: enroll, verify, identify.

Each joins recognition and gallery; HTTP and the command line share them.
"""
