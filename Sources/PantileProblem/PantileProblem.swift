// Placeholder until the first real file of PantileProblem lands.
