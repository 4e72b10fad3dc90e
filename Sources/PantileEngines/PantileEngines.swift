// Placeholder until the first real file of PantileEngines lands.
