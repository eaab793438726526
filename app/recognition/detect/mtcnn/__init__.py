"""MTCNN's cascade (Zhang et al., 2016), with what facenet-pytorch answers in a third of the time.

The same steps in the same order, with the same thresholds; the networks are in
`models/zoo/detectors/mtcnn.py`.
"""
