// Placeholder until the first real file of PantileReport lands.
