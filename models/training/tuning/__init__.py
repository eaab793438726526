"""Fine-tune a network on a few thousand photos, in minutes and on a CPU: `vultus tune`.

Training of a whole network needs a forward and a backward pass for each example. In fine-tuning,
the first parts do not change: their output is computed once (`features`), and each step only
computes the last parts. A batch is compared with all photos (`WholeBank`), and consists of people
who look alike (`look_alikes`), as a threshold of one false match in ten thousand depends on the
most similar strangers. The weights of several runs (`tuner`) are averaged, and their mean is moved
back towards the initial weights (`average`), which keeps more of what the network had learned.
"""
