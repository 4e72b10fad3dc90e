// Placeholder until the first real file of PantileImport lands.
