"""What the scores of single images say about systems; numpy only.

Every statistic comes from one set of resamples of the images: the same images are drawn for every
system, mode and indicator, and each content keeps its number of images. Differences between
systems are therefore paired, and what is easy for all systems is no noise.

bootstrap     resamples of images, means over them, their intervals
ranking       rank intervals, probability of being first, tie groups
pairs         two systems: difference, win rate, images needed to tell them apart
components    seed variance apart from image variance
weighting     who leads at which weight of consistency against perception
additive      the matrix of pairs as encoder effect + decoder effect + interaction
boards        all of it for the rows of one board, as a record that the page reads
"""

FEWEST_RESAMPLES = 20
"""One of them is the twentieth part that a 95 % interval leaves out."""
