// Placeholder until the first real test of ToyFamilyTests lands.
