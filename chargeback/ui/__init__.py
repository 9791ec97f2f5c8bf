"""Everything Streamlit-shaped that the pages share."""
