// Placeholder until the first real file of PantileDialects lands.
