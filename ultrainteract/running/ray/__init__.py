"""The Ray executor: a driver that holds the record, workers on every node, model replicas."""
