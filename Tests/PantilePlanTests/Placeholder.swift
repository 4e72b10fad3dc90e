// Placeholder until the first real test of PantilePlanTests lands.
