"""What every system stands on: the running clinic and who asks, its data, flags, refusals, and what memory keeps."""
