"""A Ray cluster of two nodes on this machine: prints its address, and ends when its input does."""

import sys

from ray.cluster_utils import Cluster

ONE = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "include_dashboard": False}

if __name__ == "__main__":
    cluster = Cluster(initialize_head=True, head_node_args=ONE)
    cluster.add_node(num_cpus=1, object_store_memory=80 * 2**20)
    sys.stdout.write(f"address {cluster.address}\n")
    sys.stdout.flush()
    sys.stdin.read()
    cluster.shutdown()
