"""Indicators fine-tuned on mean opinion scores (P A.3), and how well they agree with people.

labels       the pictures, their references and their scores
splits       80 % to train on, 20 % held out: by image or by reference
networks     the ten indicators of table 2 as networks with a line to the scores' scale
batches      crops of pictures as tensors
loop         the epochs; after each a checkpoint, so that a run can be stopped and goes on
correlation  SRoCC, KRoCC and PLCC with intervals
"""
