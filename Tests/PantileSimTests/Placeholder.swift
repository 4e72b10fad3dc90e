// Placeholder until the first real test of PantileSimTests lands.
