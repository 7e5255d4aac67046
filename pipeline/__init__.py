"""What happens to the data: stages written once over the verbs of an engine."""
