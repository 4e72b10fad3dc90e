// Placeholder until the first real test of ArchitectureTests lands.
