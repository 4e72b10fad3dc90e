// Placeholder until the first real file of PantileConfig lands.
