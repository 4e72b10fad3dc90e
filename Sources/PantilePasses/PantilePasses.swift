// Placeholder until the first real file of PantilePasses lands.
