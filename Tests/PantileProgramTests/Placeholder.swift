// Placeholder until the first real test of PantileProgramTests lands.
