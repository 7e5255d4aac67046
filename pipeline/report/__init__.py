"""What a run did, to be looked at: numbers, examples, and the page that shows them."""
