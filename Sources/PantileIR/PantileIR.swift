// Placeholder until the first real file of PantileIR lands.
