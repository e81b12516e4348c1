"""What every benchmark stands on: arms in processes of their own, the machine's limits, the record of results."""
