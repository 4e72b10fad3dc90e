// Placeholder until the first real test of PantileImportTests lands.
