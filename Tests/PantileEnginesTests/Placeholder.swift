// Placeholder until the first real test of PantileEnginesTests lands.
