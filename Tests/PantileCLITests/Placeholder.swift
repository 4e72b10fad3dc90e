// Placeholder until the first real test of PantileCLITests lands.
