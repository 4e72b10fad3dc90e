// Placeholder until the first real file of PantileTensor lands.
