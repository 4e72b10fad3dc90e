import PantileCLI
