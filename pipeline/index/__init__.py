"""Indexes of documents: what came in earlier, so that later rows are compared with it without reading it again."""
