// Placeholder until the first real test of PantileProblemTests lands.
