"""Fine-tune a network on a few thousand photos, in minutes and on a CPU: `vultus tune`.

Training all of a network costs a forward and a backward pass of it an example. Here its first parts
stay as they are, so that what comes out of them is computed once (`features`), and each step costs
the last parts alone. A batch of them is compared with all photos (`WholeBank`), and is made of
people who look alike (`look_alikes`): a threshold of one false match in ten thousand depends on the
most similar strangers. Several such runs (`tuner`) are averaged, and their mean is moved some way
back to the network that they began with (`average`): it is nearer to the middle of what fits, and
forgets less.
"""
