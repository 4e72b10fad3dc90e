// Placeholder until the first real file of PantilePlan lands.
