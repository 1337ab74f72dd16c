"""What a transfer moves: pieces of data and holes, without any input or output."""
