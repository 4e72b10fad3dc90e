// Placeholder until the first real test of PantileTextTests lands.
