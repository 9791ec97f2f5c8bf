"""Speed and memory, each as a ratio to a baseline within one run on one machine."""
