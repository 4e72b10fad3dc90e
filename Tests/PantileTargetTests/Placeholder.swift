// Placeholder until the first real test of PantileTargetTests lands.
