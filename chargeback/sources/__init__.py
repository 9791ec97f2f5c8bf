"""Where bills come from: local CUR 2.0 files, Athena."""
