// Placeholder until the first real file of PantileTarget lands.
