// Placeholder until the first real file of PantileSolve lands.
