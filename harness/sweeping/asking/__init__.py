"""What is asked, as whom, in which order and how it is written down."""
