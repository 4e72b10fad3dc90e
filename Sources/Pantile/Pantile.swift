// Placeholder until the first real file of Pantile lands.
