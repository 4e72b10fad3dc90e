// Placeholder until the first real file of PantileText lands.
