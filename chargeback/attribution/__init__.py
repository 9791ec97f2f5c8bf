"""Who pays: what a principal, its tags, its account and the owner list say."""
