// Placeholder until the first real test of PantileDialectsTests lands.
