// Placeholder until the first real file of PantileCLI lands.
