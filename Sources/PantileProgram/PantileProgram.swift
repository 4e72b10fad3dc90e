// Placeholder until the first real file of PantileProgram lands.
