// Placeholder until the first real test of PantileSolveTests lands.
