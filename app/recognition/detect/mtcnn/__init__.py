"""MTCNN's cascade (Zhang et al., 2016), with the results of facenet-pytorch in a third of the time.

The steps, their order and the thresholds are the same. The networks are in
`models/zoo/detectors/mtcnn.py`.
"""
