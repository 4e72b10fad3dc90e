// Placeholder until the first real test of PantileSupportTests lands.
