// Placeholder until the first real test of PantileTests lands.
