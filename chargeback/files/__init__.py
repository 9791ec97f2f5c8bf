"""Files: tables as CSV and workbooks, and what makes a file or a folder appear whole."""
