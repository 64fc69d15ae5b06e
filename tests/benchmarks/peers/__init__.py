"""The others: what does the same work and promises less, as plainly as its own documentation shows it."""
