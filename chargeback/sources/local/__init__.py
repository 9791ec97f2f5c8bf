"""A CUR 2.0 export in files."""
