"""`harness identify`: whose media or words a file holds, told from the ledgers of earlier runs."""
