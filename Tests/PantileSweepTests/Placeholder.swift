// Placeholder until the first real test of PantileSweepTests lands.
