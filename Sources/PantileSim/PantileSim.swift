// Placeholder until the first real file of PantileSim lands.
