// Placeholder until the first real test of PantilePassesTests lands.
