// Placeholder until the first real test of PantileTensorTests lands.
