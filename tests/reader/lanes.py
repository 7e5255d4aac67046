"""Workers without processes: each lane has the files, windows and cursor that a worker process would have."""

from tamis.reader.torch_loader import Loader, Messages, received


class Lanes(Loader):
    """A loader whose workers are objects of this process; ``lanes`` are those of the last iteration."""

    def __init__(self, reader, workers, transform=None):
        super().__init__(reader, workers=workers, transform=transform, multiprocessing_context=None)
        self.lanes = []

    def _received(self, requests):
        self.lanes = [Messages(self.reader, self.transform) for _ in range(self.workers)]
        for place, request in enumerate(requests):
            yield received(self.lanes[place % self.workers][request])
