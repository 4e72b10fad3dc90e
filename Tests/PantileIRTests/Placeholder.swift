// Placeholder until the first real test of PantileIRTests lands.
