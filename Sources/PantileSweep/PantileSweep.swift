// Placeholder until the first real file of PantileSweep lands.
